/**
 * The close of a runtime. Running turns are interrupted like preempted ones and may end within the grace; then every agent is ended and the
 * store is closed.
 */
import type { RuntimeParts } from './parts.ts';
import { closing } from './refusals.ts';
import { closeMs, comeToRest, within } from './session/hand-over.ts';

export async function closeRuntime(
  { context, registry, cluster, ready }: RuntimeParts,
  graceMs: number,
): Promise<void> {
  const { clock, store } = context;
  await ready.catch(() => {});
  registry.seal();
  cluster?.seal();
  const actors = await comeToRest({ clock, registry }, graceMs, closing);
  // A commit that is under way is answered before the store is closed: the caller gets the result.
  const written = registry.until(() => !registry.writing);
  const agentsGone = Promise.all(actors.map((actor) => actor.host.gone())).then(() => registry.processRows.written());
  await within(clock, closeMs, Promise.all([written, agentsGone]));
  registry.close();
  await within(clock, closeMs, cluster?.close().catch(() => {}) ?? Promise.resolve());
  await store.close();
}
