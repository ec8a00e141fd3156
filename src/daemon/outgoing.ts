/** What carries messages out, where the configuration has a door. Its code is loaded only then. */
import { loadDoors } from '../gateways/doors.ts';
import type { Signalbox } from '../runtime/api.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Outgoing } from '../runtime/outbox/outgoing.ts';
import { type Faults, noFaults } from '../store/faults.ts';
import type { DaemonConfig } from './config/resolve.ts';

/** A look-up before this finds out nothing: the receiver may have the request still. */
const settleMs = 30_000;

interface OutgoingSettings {
  readonly config: Pick<DaemonConfig, 'doors' | 'limits'>;
  readonly faults?: Faults;
}

/** Null: there is no door. Throws `bad_config`. */
export async function outgoingOf(
  { config: { doors: configs, limits }, faults = noFaults }: OutgoingSettings,
  { signalbox, onError }: { readonly signalbox: Signalbox; readonly onError: (error: unknown, where: string) => void },
): Promise<Outgoing | null> {
  const doors = await loadDoors(configs);
  if (doors.length === 0) {
    return null;
  }
  const { Outgoing } = await import('../runtime/outbox/outgoing.ts');
  return new Outgoing({
    store: signalbox.store,
    listen: (tape, listener) => signalbox.listen(tape, listener),
    doors,
    limits: { maxAgeMs: limits.replyMaxAgeMs, keepMs: limits.replyKeepMs, settleMs },
    clock: systemClock,
    random: Math.random,
    faults,
    onError,
  });
}
