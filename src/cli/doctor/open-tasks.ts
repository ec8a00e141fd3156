/** How full a running daemon is. */
import type { OpenTasks } from '../../protocol/open-tasks.ts';
import { type Check, note, ok } from './check.ts';

/** The part of a limit at which a person should look. */
const much = 0.8;

export function checkOpenTasks({ open, limit, sourceLimit, sources }: OpenTasks): Check {
  const [largest] = sources;
  const share = largest === undefined ? '' : `; ${largest.source} has most: ${largest.open} of ${sourceLimit}`;
  const what = `${open} of ${limit}${share}`;
  return open >= much * limit || (largest?.open ?? 0) >= much * sourceLimit
    ? note('open tasks', what, 'At the limit submits are refused. signalbox tasks --status queued shows what waits.')
    : ok('open tasks', what);
}
