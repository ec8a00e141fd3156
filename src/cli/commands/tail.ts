import { AppError } from '../../core/errors.ts';
import type { Client } from '../../client/index.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import { rawFlag } from '../flags.ts';
import type { Io } from '../io.ts';
import { uuid } from '../output/short-id.ts';
import { taskIdOf } from '../task-id.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'tail',
  group: 'Watch',
  what: 'follow a task to its end, a session, or everything',
  next: 'Without TARGET it follows everything that happens from now on, until Ctrl-C',
  args: [{ name: 'TARGET', optional: true }],
  flags: [
    { name: 'session', short: 's', what: 'TARGET is a session, whatever it looks like' },
    {
      name: 'after',
      value: 'PLACE',
      what: 'start after this seq of a task, or this position of a session; 0: from the beginning',
    },
    { name: 'no-follow', what: 'print the stored events, and end' },
    rawFlag,
  ],
  examples: [
    {
      line: 'signalbox tail 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11',
      what: 'one task from its first event; its outcome is the exit code',
    },
    { line: 'signalbox tail hello', what: 'a session, from now on' },
    { line: 'signalbox tail --json | jq .type', what: 'everything, as JSON lines' },
  ],
  run,
};

async function taskExists(client: Client, id: string): Promise<boolean> {
  return exists(() => client.task(id), 'unknown_task');
}

async function exists(read: () => Promise<unknown>, code: string): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof AppError && (error.code === code || error.code === 'bad_id')) {
      return false;
    }
    throw error;
  }
}

/** The task that TARGET names by its id or, where no session has that key, by the beginning of its id; null: it is a session. */
async function taskOf(client: Client, target: string): Promise<string | null> {
  if (uuid.test(target)) {
    return target;
  }
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(target)) {
    return null;
  }
  if (await taskExists(client, target)) {
    return target;
  }
  if (await exists(() => client.session(target), 'unknown_session')) {
    return null;
  }
  const id = await taskIdOf(client, target);
  return id === target ? null : id;
}

function seqOf(after: string): number {
  if (/^\d{1,15}$/.test(after)) {
    return Number(after);
  }
  throw new AppError({
    code: 'usage',
    message: `--after of a task must be a seq, not ${JSON.stringify(after)}`,
    hint: '0: from the beginning.',
  });
}

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const target = call.argOr('TARGET', null);
  const after = call.text('after');
  const once = call.on('no-follow');
  const raw = call.on('raw');
  if (target === null && call.on('session')) {
    throw new AppError({
      code: 'usage',
      message: 'TARGET is missing',
      hint: 'Usage: signalbox tail --session SESSION',
    });
  }
  const { followFeed, followTask, printFeed, printTape } = await import('../follow.ts');
  const task = target === null || call.on('session') ? null : await taskOf(client, target);
  if (task !== null) {
    const seq = seqOf(after ?? '0');
    return once ? printTape(client, task, seq, io, raw) : followTask(client, task, io, { after: seq, raw, wait: null });
  }
  return once ? printFeed(client, target, after ?? '0', io, raw) : followFeed(client, target, after ?? 'now', io, raw);
}
