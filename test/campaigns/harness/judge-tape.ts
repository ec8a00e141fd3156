/** What is wrong with an ended task and its tape, read over HTTP; empty: nothing. */
import type { Client, ReadEvent } from '../../../src/client/index.ts';

const pageSize = 500;

export async function judgeTape(client: Client, task: string): Promise<string[]> {
  const view = await client.task(task).catch(() => null);
  if (view === null) {
    return [`accepted task ${task} is gone`];
  }
  const types: ReadEvent['type'][] = [];
  let after = 0;
  for (;;) {
    const page = await client.taskEvents(task, { after, limit: pageSize });
    for (const event of page.items) {
      after += 1;
      if (event.seq !== after) {
        return [`the tape of ${task} has ${event.seq} where ${after} belongs`];
      }
      types.push(event.type);
    }
    if (page.items.length < pageSize) {
      break;
    }
  }
  const wrong: string[] = [];
  const finals = types.filter((type) => type === 'final').length;
  if (finals !== 1 || types.at(-1) !== 'final') {
    wrong.push(`the tape of ${task} has ${finals} finals, its last event is ${types.at(-1) ?? 'none'}`);
  }
  if (types[0] !== 'queued') {
    wrong.push(`the tape of ${task} begins with ${types[0] ?? 'nothing'}`);
  }
  if (view.endedAt === null) {
    wrong.push(`task ${task} is ${view.status}`);
  }
  return wrong;
}
