/** What must hold after the last kill: judged from the API, the tapes, the agents' own logs, and the process table. */
import { judgeTape } from '../harness/judge-tape.ts';
import type { World } from './world.ts';

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
    wrong.push(...(await judgeTape(world.client, sent.task)));
  }
  for (const line of world.agentLines()) {
    if (line.event === 'overlap') {
      wrong.push(`two agents at once for ${line.session}: ${line.pid} and ${String(line['other'])}`);
    }
  }
  return wrong;
}
