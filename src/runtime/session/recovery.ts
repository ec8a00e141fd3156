import { endLeftover } from '../../supervise/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Context } from '../options.ts';
import type { Registry } from './registry.ts';
import type { Stats } from '../queries/stats.ts';

/** Sessions read at a time at the start. */
const recoveryPage = 50;

interface RecoveryParts {
  readonly context: Context;
  readonly registry: Registry;
  readonly stats: Stats;
  readonly cluster: Cluster | null;
}

/**
 * Ends the processes that a dead daemon left, then opens every session that has open tasks. Resolves when their first inputs are
 * committed. `endLeftovers` false: the agents are not processes, so none are looked for.
 */
export async function recover(
  { context, registry, stats, cluster }: RecoveryParts,
  endLeftovers: boolean,
): Promise<void> {
  const { store } = context;
  const leftovers = await store.processes();
  await Promise.all(
    leftovers.map(async (row) => {
      if (endLeftovers) {
        const report = await endLeftover(row);
        stats.count(`leftover_${report.leader}`);
        if (report.left.length > 0) {
          context.onError(new Error(`processes ${report.left.join(', ')} of an earlier daemon are left`), 'leftovers');
          // The next start looks for them again, by their cookie.
          return;
        }
      }
      await store.forgetProcess(row.pid, row.startTime);
    }),
  );
  if (cluster !== null) {
    await cluster.adopt();
    return;
  }
  let cursor: string | null = null;
  do {
    const page = await store.openSessions(cursor, recoveryPage);
    const found = await Promise.all(page.items.map(async (key) => registry.actor(key)));
    const actors = found.flatMap((one) => ('elsewhere' in one ? [] : [one]));
    // Page by page, so that thousands of sessions do not block the main loop by one commit.
    await registry.untilNone(actors, (actor) => actor.busy);
    cursor = page.cursor;
  } while (cursor !== null);
}
