/** The hang reports that concern a task. */
import type { Client } from '../client/index.ts';
import { AppError } from '../core/errors.ts';
import type { HangSummary } from '../protocol/hangs.ts';
import type { TaskView } from '../protocol/tasks.ts';

/**
 * Of its session, or of the daemon as a whole, from its admission to its end; newest first. None where the caller may not see
 * them.
 */
export async function hangsOf(
  client: Client,
  { session, admittedAt, endedAt }: Pick<TaskView, 'session' | 'admittedAt' | 'endedAt'>,
): Promise<readonly HangSummary[]> {
  try {
    const { items } = await client.hangs();
    return items.filter(
      (hang) =>
        (hang.session === session || hang.class === 'main-loop-blocked') &&
        hang.class !== 'no-hang' &&
        hang.at >= admittedAt &&
        hang.at <= (endedAt ?? Number.POSITIVE_INFINITY),
    );
  } catch (error) {
    if (error instanceof AppError) {
      return [];
    }
    throw error;
  }
}

/** A line for each, with the command that shows it; null: there are none. */
export const hangsText = (hangs: readonly HangSummary[]): string | null =>
  hangs.length === 0
    ? null
    : hangs
        .slice(0, 3)
        .map(({ id, class: what, summary }) => `${what}: ${summary}\n→ signalbox hangs ${id}`)
        .join('\n');
