import type { Client } from '../../../src/client/index.ts';
import type { TaskEventType } from '../../../src/core/model/events.ts';

/** Reads the tape of a task up to its first event of a type. Throws if the tape ends without one. */
export async function untilEvent(client: Client, task: string, type: TaskEventType): Promise<void> {
  for await (const event of client.follow(task)) {
    if (event.type === type) {
      return;
    }
  }
  throw new Error(`the tape of ${task} ended without ${type}`);
}
