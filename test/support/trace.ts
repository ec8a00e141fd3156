/**
 * Trace validation: what a running Signalbox did must be what `step` does. Pass `observe` to `createSignalbox`; afterwards
 * `replayTrace` feeds every recorded input to `step` again, beginning with sessions of its own making, and compares
 * records, effects and reply of each, to the last one.
 */
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import { durableOf, newSession, rebuild, step } from '../../src/core/index.ts';

interface TraceEntry {
  readonly before: Session;
  readonly input: Input;
  readonly result: StepResult;
}

export interface Trace {
  readonly observe: (before: Session, input: Input, result: StepResult) => void;
  readonly entries: readonly TraceEntry[];
}

interface Replay {
  /** Steps that were replayed: all that were recorded. */
  readonly steps: number;
  /** Sessions that began fresh, or were rebuilt from a store. */
  readonly roots: number;
}

export function recordTrace(): Trace {
  const entries: TraceEntry[] = [];
  return { entries, observe: (before, input, result) => entries.push({ before, input, result }) };
}

/** Equality of JSON-like values; a missing field differs from one that is undefined. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) {
    return true;
  }
  if (
    typeof a !== 'object' ||
    typeof b !== 'object' ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    return false;
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) {
    return false;
  }
  for (const key of keys) {
    if (!Object.hasOwn(b, key) || !same(Reflect.get(a, key), Reflect.get(b, key))) {
      return false;
    }
  }
  return true;
}

/** What of a session is neither a tree nor derived from one. */
const live = (session: Session): unknown => [
  session.hold,
  session.agent,
  session.throttle,
  session.fenced,
  session.limits,
];

const sameSession = (a: Session, b: Session): boolean => same(durableOf(a), durableOf(b)) && same(live(a), live(b));

/** A session that no recorded step gave: it is new, or what the store gives back, and then nothing else than that. */
function root(before: Session): Session {
  if (before.fenced) {
    // Closed or taken over: every input is answered as stale, whatever it was.
    return before;
  }
  const isNew = before.epoch === 0 && before.admissions === 0 && before.seq === 0;
  return isNew ? newSession(before.key, before.limits) : rebuild(durableOf(before), before.limits);
}

const text = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'undefined';

/** Throws on the first difference, with what was recorded and what `step` says. */
export function replayTrace(trace: Trace): Replay {
  const twins = new Map<Session, Session>();
  const last = new Map<string, Session>();
  let roots = 0;
  for (const [at, { before, input, result }] of trace.entries.entries()) {
    let twin = twins.get(before);
    if (twin === undefined) {
      twin = root(before);
      roots += 1;
      if (!sameSession(twin, before)) {
        throw new Error(
          `step ${at}, ${input.type}: session ${before.key} began neither new nor as the store gives it back`,
        );
      }
      twins.set(before, twin);
    }
    const again = step(twin, input);
    for (const part of ['records', 'effects', 'reply'] as const) {
      if (!same(again[part], result[part])) {
        throw new Error(
          `step ${at}, ${input.type} of ${before.key}: ${part} differ\nrecorded ${text(result[part])}\nreplayed ${text(again[part])}`,
        );
      }
    }
    twins.set(result.session, again.session);
    last.set(before.key, result.session);
  }
  for (const [key, recorded] of last) {
    const twin = twins.get(recorded);
    if (twin === undefined || !sameSession(recorded, twin)) {
      throw new Error(`session ${key} ended otherwise than its replay`);
    }
  }
  return { steps: trace.entries.length, roots };
}
