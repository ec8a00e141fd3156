/** What is wrong with an ended task and its tape, read over HTTP; empty: nothing. */
import type { Client, ReadEvent } from '../../../src/client/index.ts';

const pageSize = 500;

/** All events of a task, in the order in which they are read. */
export async function readTape(client: Client, task: string): Promise<ReadEvent[]> {
  const tape: ReadEvent[] = [];
  for (;;) {
    const page = await client.taskEvents(task, { after: tape.at(-1)?.seq ?? 0, limit: pageSize });
    tape.push(...page.items);
    if (page.items.length < pageSize) {
      return tape;
    }
  }
}

export async function judgeTape(client: Client, task: string): Promise<string[]> {
  const view = await client.task(task).catch(() => null);
  if (view === null) {
    return [`accepted task ${task} is gone`];
  }
  const wrong = wrongOrder(task, await readTape(client, task));
  if (view.endedAt === null) {
    wrong.push(`task ${task} is ${view.status}`);
  }
  return wrong;
}

/** The tape of an ended task: dense from 1, `queued` first, `final` once and last. */
export function wrongOrder(task: string, tape: readonly ReadEvent[]): string[] {
  const gap = tape.findIndex(({ seq }, at) => seq !== at + 1);
  if (gap !== -1) {
    return [`the tape of ${task} has ${tape[gap]?.seq} where ${gap + 1} belongs`];
  }
  const types = tape.map(({ type }) => type);
  const wrong: string[] = [];
  const finals = types.filter((type) => type === 'final').length;
  if (finals !== 1 || types.at(-1) !== 'final') {
    wrong.push(`the tape of ${task} has ${finals} finals, its last event is ${types.at(-1) ?? 'none'}`);
  }
  if (types[0] !== 'queued') {
    wrong.push(`the tape of ${task} begins with ${types[0] ?? 'nothing'}`);
  }
  return wrong;
}
