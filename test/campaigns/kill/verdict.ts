/** What must hold after the last kill: judged from the API, the tapes, the agents' own logs, and the process table. */
import { readdirSync, readFileSync } from 'node:fs';
import type { World } from './world.ts';

const PAGE = 500;

/** Waits, by the live feed, until no task is open. */
export async function allEnded(world: World): Promise<void> {
  const abort = new AbortController();
  const open = async (): Promise<boolean> => {
    const queued = await world.client.tasks({ status: ['queued'], limit: 1 });
    const running = await world.client.tasks({ status: ['running'], limit: 1 });
    return queued.items.length + running.items.length > 0;
  };
  // Tasks that stream for ever end by a cancel, like those of an impatient person.
  for (const sent of world.sent) {
    if (sent.task !== null && sent.prompt.includes('forever')) {
      await world.client.cancel(sent.task);
    }
  }
  const events = world.client.followAll({ after: 'now', signal: abort.signal })[Symbol.asyncIterator]();
  let next = events.next();
  while (await open()) {
    const { value } = await next;
    if (value === undefined) {
      throw new Error('the feed ended while tasks are open');
    }
    next = events.next();
  }
  abort.abort();
  await next.catch(() => {});
}

export async function verdict(world: World): Promise<string[]> {
  const wrong: string[] = [...world.contradictions];
  const owners = new Map<string, string>();
  for (const sent of world.sent) {
    if (sent.task === null) {
      continue;
    }
    const other = owners.get(sent.task);
    if (other !== undefined) {
      wrong.push(`task ${sent.task} answers for ${other} and ${sent.key}`);
    }
    owners.set(sent.task, sent.key);
    wrong.push(...(await judgeTape(world, sent.task)));
  }
  for (const line of world.agentLines()) {
    if (line.event === 'overlap') {
      wrong.push(`two agents at once for ${line.session}: ${line.pid} and ${String(line['other'])}`);
    }
  }
  return wrong;
}

export async function judgeTape(world: Pick<World, 'client'>, task: string): Promise<string[]> {
  const view = await world.client.task(task).catch(() => null);
  if (view === null) {
    return [`accepted task ${task} is gone`];
  }
  const types: string[] = [];
  let after = 0;
  for (;;) {
    const page = await world.client.taskEvents(task, { after, limit: PAGE });
    for (const event of page.items) {
      after += 1;
      if (event.seq !== after) {
        return [`the tape of ${task} has ${event.seq} where ${after} belongs`];
      }
      types.push(event.type);
    }
    if (page.items.length < PAGE) {
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
  if (!['completed', 'failed', 'cancelled'].includes(view.status)) {
    wrong.push(`task ${task} is ${view.status}`);
  }
  return wrong;
}

/** Living processes whose command line names the world's agent log: agents of this run. Linux only; else none are seen. */
export function strays(world: World): string[] {
  let pids: string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  } catch {
    return [];
  }
  return pids.filter((pid) => {
    try {
      const zombie = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') ?? true;
      return !zombie && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(world.agentLog);
    } catch {
      return false;
    }
  });
}
