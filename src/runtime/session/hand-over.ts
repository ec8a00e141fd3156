/** The end of sessions on this node, at a close or where another node goes on with them. */
import type { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import { onWire } from '../../core/rules/turn.ts';
import { treeValues } from '../../core/tree.ts';
import type { Clock } from '../clock.ts';
import type { SessionActor } from './actor.ts';
import type { Registry } from './registry.ts';

/** How long the ended agents may take until their processes are gone, beyond the driver's own deadlines. */
export const closeMs = 15_000;

/** Sessions to be ended here, and what ends them. */
interface Ending {
  readonly clock: Clock;
  readonly registry: Registry;
}

/** As at a close, and their agents are gone. Gives the sessions that other nodes may go on with. */
export async function handOver(
  ending: Ending,
  graceMs: number,
  reason: (key: SessionKey) => AppError,
): Promise<readonly SessionActor[]> {
  const actors = await comeToRest(ending, graceMs, reason);
  const gone = Promise.all(actors.map((actor) => actor.host.gone()));
  await within(ending.clock, closeMs, gone);
  return actors.filter(({ host }) => !host.running);
}

/** Running turns are interrupted and may end within the grace; then nothing of these sessions happens here any more. */
export async function comeToRest(
  { clock, registry }: Ending,
  graceMs: number,
  reason: (key: SessionKey) => AppError,
): Promise<readonly SessionActor[]> {
  for (const actor of registry.actors()) {
    actor.host.closing();
    // The next start knows by it that the runners of these sessions did not take their daemon with them.
    if (graceMs > 0 && !actor.detached && atWork(actor)) {
      const by = { kind: 'daemon', name: 'close' } as const;
      actor.post({ type: 'park', at: clock.wall(), kind: 'closing', reason: 'the daemon closes', by });
    }
  }
  const isBusy = (actor: SessionActor): boolean => actor.busy || (graceMs > 0 && inTurn(actor));
  await within(clock, graceMs, registry.untilNone(registry.actors(), isBusy));
  const actors = registry.actors();
  for (const actor of actors) {
    actor.fence(null, reason(actor.key));
  }
  return actors;
}

export async function within(clock: Clock, ms: number, done: Promise<unknown>): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.timer(ms, resolve);
  });
  await Promise.race([done, late]);
  cancel();
}

/** A task owns it, or a runner of it lives that gave way. One whose agent waits for a slot does nothing, and gets none any more. */
const atWork = ({ session: { hold, tasks }, host }: SessionActor): boolean =>
  (hold !== null && !host.waits) || treeValues(tasks).some(({ run }) => run !== null);

const inTurn = (actor: SessionActor): boolean =>
  !actor.detached && onWire(actor.session.hold?.turn ?? null) && actor.host.running;
