import { AppError } from '../../core/errors.ts';
import { apiOf } from '../api.ts';
import type { Api } from '../api.ts';
import type { Call } from '../call.ts';
import type { Io } from '../io.ts';
import { findTarget } from '../target.ts';

/** Ids of tasks are UUIDs unless a library made its own; such a one is asked for at the daemon. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function isTask(api: Api, target: string): Promise<boolean> {
  if (uuid.test(target)) return true;
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(target)) return false;
  try {
    await api.call('getTask', { params: { id: target } });
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'unknown_task') return false;
    throw error;
  }
}

function seqOf(place: string): number {
  if (/^\d{1,15}$/.test(place)) return Number(place);
  throw new AppError({
    code: 'usage',
    message: `--after of a task must be a seq, not ${JSON.stringify(place)}`,
    hint: '0: from the beginning.',
  });
}

export async function run(call: Call, io: Io): Promise<number> {
  const api = apiOf(findTarget(call, io));
  const target = call.argOr('TARGET', null);
  const after = call.text('after');
  const once = call.on('no-follow');
  if (target === null && call.on('session')) {
    throw new AppError({
      code: 'usage',
      message: 'TARGET is missing',
      hint: 'Usage: signalbox tail --session SESSION',
    });
  }
  const { followFeed, followTask, printFeed, printTape } = await import('../follow.ts');
  if (target !== null && !call.on('session') && (await isTask(api, target))) {
    const seq = seqOf(after ?? '0');
    return once ? printTape(api, target, seq, io) : followTask(api, target, seq, io);
  }
  return once ? printFeed(api, target, after ?? '0', io) : followFeed(api, target, after ?? 'now', io);
}
