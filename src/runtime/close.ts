/**
 * The close of a runtime. Running turns are interrupted like preempted ones and may end within the grace; then every agent is ended and the
 * store is closed.
 */
import { onWire } from '../core/rules/turn.ts';
import { treeValues } from '../core/tree.ts';
import type { RuntimeParts } from './parts.ts';
import { closing } from './refusals.ts';
import type { SessionActor } from './session/actor.ts';

/** How long the ended agents may take until their processes are gone, beyond the driver's own deadlines. */
const closeMs = 15_000;

export async function closeRuntime({ context, registry, ready }: RuntimeParts, graceMs: number): Promise<void> {
  const { clock, store } = context;
  const within = async (ms: number, done: Promise<unknown>): Promise<void> => {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.timer(ms, resolve);
    });
    await Promise.race([done, late]);
    cancel();
  };
  await ready.catch(() => {});
  registry.seal();
  for (const actor of registry.actors()) {
    actor.host.closing();
    // The next start knows by it that the runners of these sessions did not take their daemon with them.
    if (graceMs > 0 && !actor.detached && atWork(actor)) {
      const by = { kind: 'daemon', name: 'close' } as const;
      actor.post({ type: 'park', at: clock.wall(), kind: 'closing', reason: 'the daemon closes', by });
    }
  }
  await within(
    graceMs,
    registry.untilNone(registry.actors(), (actor) => actor.busy || (graceMs > 0 && inTurn(actor))),
  );
  const actors = registry.actors();
  const reason = closing();
  for (const actor of actors) {
    actor.fence(null, reason);
  }
  // A commit that is under way is answered before the store is closed: the caller gets the result.
  const written = registry.until(() => !registry.writing);
  const agentsGone = Promise.all(actors.map((actor) => actor.host.gone())).then(() => registry.processRows.written());
  await within(closeMs, Promise.all([written, agentsGone]));
  registry.close();
  await store.close();
}

/** A task owns it, or a runner of it lives that gave way. One whose agent waits for a slot does nothing, and gets none any more. */
const atWork = ({ session: { hold, tasks }, host }: SessionActor): boolean =>
  (hold !== null && !host.waits) || treeValues(tasks).some(({ run }) => run !== null);

const inTurn = (actor: SessionActor): boolean =>
  !actor.detached && onWire(actor.session.hold?.turn ?? null) && actor.host.running;
