/**
 * The checker on systems whose answer is known. If it were blind here, what it says of the session core would be worth
 * nothing: every kind of verdict is seen at least once, with exact counts and shortest lengths.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Model, Outcome, Teller } from '../../check/engine/index.ts';
import { describeStats, explore, lengthOf, tell } from '../../check/engine/index.ts';
import { States } from '../../check/engine/states.ts';
import { Writer } from '../../check/engine/writer.ts';

const now = (): number => 0;
const run = <S, A>(model: Model<S, A>, maxStates = Number.POSITIVE_INFINITY): Outcome<S, A> =>
  explore(model, { now, maxStates });

/** Odometer: `wheels` wheels of `digits` digits; any wheel may turn by one. */
const odometer = (wheels: number, digits: number): Model<readonly number[], number> => ({
  initial: Array.from({ length: wheels }, () => 0),
  expand: (state, emit) => {
    for (const wheel of state.keys()) {
      emit(wheel, 0, state.with(wheel, ((state[wheel] ?? 0) + 1) % digits));
    }
  },
  encode: (state, out) => {
    for (const digit of state) {
      out.byte(digit);
    }
  },
});

describe('the set of states', () => {
  test('counts exactly', () => {
    const { verdict, stats } = run(odometer(4, 9));
    expect(verdict.kind).toBe('holds');
    expect(stats).toMatchObject({ states: 9 ** 4, transitions: 4 * 9 ** 4, depth: 4 * 8 });
  });

  test('distinguishes states that differ in any byte or in length, while it grows many times', () => {
    const states = new States();
    const writer = new Writer();
    const write = (value: number, zeros: number): void => {
      writer.reset();
      writer.uint(value);
      for (let zero = 0; zero < zeros; zero += 1) {
        writer.byte(0);
      }
    };
    // So many that a hash of 32 bits, if it were trusted, would take about twenty of them for others.
    const size = 400_000;
    let wrong = 0;
    for (let value = 0; value < size; value += 1) {
      write(value, value % 3);
      if (states.add(writer, -1, 0) !== value || !states.fresh) {
        wrong += 1;
      }
    }
    for (let value = 0; value < size; value += 7) {
      write(value, value % 3);
      if (states.add(writer, -1, 0) !== value || states.fresh) {
        wrong += 1;
      }
      write(value, (value % 3) + 1);
      if (states.find(writer) !== -1) {
        wrong += 1;
      }
    }
    expect(wrong).toBe(0);
    expect(states.size).toBe(size);
  });

  test('fills more than one chunk of its arena', () => {
    const states = new States();
    const writer = new Writer();
    const write = (value: number): void => {
      writer.reset();
      writer.uint(value);
      for (let filler = 0; filler < 20_000; filler += 1) {
        writer.byte(7);
      }
    };
    for (let value = 0; value < 2_500; value += 1) {
      write(value);
      states.add(writer, -1, 0);
    }
    expect(states.bytes).toBeGreaterThan(10 * 4 * 2 ** 20);
    for (let value = 0; value < 2_500; value += 100) {
      write(value);
      expect(states.find(writer)).toBe(value);
    }
  });

  test('the checker reports that a bound was reached, and does not report that a property holds', () => {
    const outcome = run(odometer(4, 9), 1_000);
    expect(outcome.verdict.kind).toBe('bounded');
    expect(tell(outcome.verdict, wheelTeller)).toContain('NOT PROVED');
    expect(describeStats(outcome.stats)).toContain('1,00');
  });
});

const wheelTeller: Teller<readonly number[], number> = {
  sentence: (wheel) => `wheel ${wheel} turns`,
  changes: (before, after) =>
    after.flatMap((digit, wheel) => (digit === before[wheel] ? [] : [`${wheel} shows ${digit}`])),
};

describe('safety', () => {
  test('the trace to a broken state is the shortest, and reads as a story', () => {
    const model = odometer(2, 5);
    const outcome = run({
      ...model,
      invariants: [{ name: 'never 2-1', check: ([a, b]) => (a === 2 && b === 1 ? 'the display shows 2-1' : null) }],
    });
    expect(lengthOf(outcome)).toBe(3);
    expect(tell(outcome.verdict, wheelTeller).split('\n')).toEqual([
      'BROKEN: never 2-1',
      '  after 3 steps, the shortest there is:',
      '   1. wheel 0 turns',
      '        0 shows 1',
      '   2. wheel 0 turns',
      '        0 shows 2',
      '   3. wheel 1 turns',
      '        1 shows 1',
      '  => the display shows 2-1',
    ]);
  });

  test('a broken transition is found although both its states are fine', () => {
    const outcome = run({
      ...odometer(1, 5),
      guards: [{ name: 'only up', check: ([a], _wheel, [b]) => ((b ?? 0) < (a ?? 0) ? 'it fell' : null) }],
    });
    expect(outcome.verdict).toMatchObject({ kind: 'unsafe', broken: { property: 'only up', detail: 'it fell' } });
    expect(lengthOf(outcome)).toBe(5);
  });

  test('the search ends when a move reports a broken property', () => {
    const broken = { property: 'p', detail: 'd' };
    const outcome = run<number, string>({
      initial: 0,
      expand: (state, emit) => {
        if (state < 3) {
          emit('on', 0, state + 1, state === 2 ? broken : null);
        }
      },
      encode: (state, out) => out.byte(state),
    });
    expect(outcome.verdict).toMatchObject({ kind: 'unsafe', broken });
    expect(lengthOf(outcome)).toBe(3);
  });

  test('the trace to a broken initial state has no steps', () => {
    const outcome = run({ ...odometer(1, 2), invariants: [{ name: 'never', check: () => 'always wrong' }] });
    expect(outcome.verdict.kind).toBe('unsafe');
    expect(lengthOf(outcome)).toBe(0);
  });
});

/** Peterson's lock for two processes; `broken` sets the flag after it has looked at the other's. */
interface Lock {
  readonly at: readonly [number, number];
  readonly flag: readonly [boolean, boolean];
  readonly turn: number;
}

function peterson(broken: boolean): Model<Lock, number> {
  const set = <T>(pair: readonly [T, T], who: number, value: T): readonly [T, T] =>
    who === 0 ? [value, pair[1]] : [pair[0], value];
  const move = (state: Lock, who: number): Lock | null => {
    const other = 1 - who;
    const at = state.at[who];
    if (at === 0) {
      return { ...state, at: set(state.at, who, 1), flag: broken ? state.flag : set(state.flag, who, true) };
    }
    if (at === 1) {
      return { ...state, at: set(state.at, who, 2), turn: other };
    }
    if (at === 3) {
      return { ...state, at: set(state.at, who, 0), flag: set(state.flag, who, false) };
    }
    if ((state.flag[other] ?? false) && state.turn !== who) {
      return null;
    }
    return { ...state, at: set(state.at, who, 3), flag: set(state.flag, who, true) };
  };
  return {
    initial: { at: [0, 0], flag: [false, false], turn: 0 },
    expand: (state, emit) => {
      for (const who of [0, 1]) {
        const next = move(state, who);
        if (next !== null) {
          emit(who, who, next);
        }
      }
    },
    encode: (state, out) => {
      for (const who of [0, 1] as const) {
        out.byte(state.at[who]);
        out.flag(state.flag[who]);
      }
      out.byte(state.turn);
    },
    invariants: [
      { name: 'mutual exclusion', check: ({ at }) => (at[0] === 3 && at[1] === 3 ? 'both are inside' : null) },
    ],
    goals: [0, 1].map((who) => ({
      name: `process ${who} gets in`,
      pending: ({ at }: Lock) => at[who] === 1 || at[who] === 2,
    })),
    fair: new Map([
      [0, 'process 0'],
      [1, 'process 1'],
    ]),
  };
}

describe("Peterson's lock", () => {
  /** Counted by a second, naive search, so that the number is not the checker's own. */
  function naiveCount(model: Model<Lock, number>): number {
    const seen = new Map<string, Lock>([[JSON.stringify(model.initial), model.initial]]);
    for (const state of seen.values()) {
      model.expand(state, (_action, _kind, next) => {
        if (!seen.has(JSON.stringify(next))) {
          seen.set(JSON.stringify(next), next);
        }
      });
    }
    return seen.size;
  }

  test('keeps the two processes apart, lets each of them in, and has 20 states', () => {
    const { verdict, stats } = run(peterson(false));
    expect(verdict.kind).toBe('holds');
    expect(stats.states).toBe(20);
    expect(naiveCount(peterson(false))).toBe(20);
  });

  test('lets a process starve if no process has to move', () => {
    const outcome = run({ ...peterson(false), fair: new Map() });
    expect(outcome.verdict).toMatchObject({ kind: 'unlive', goal: 'process 0 gets in' });
  });

  test('lets both in at once, after six steps, if the flag is raised too late', () => {
    const outcome = run(peterson(true));
    expect(outcome.verdict).toMatchObject({ kind: 'unsafe', broken: { property: 'mutual exclusion' } });
    expect(lengthOf(outcome)).toBe(6);
  });
});

/** A ring of `size` rooms that a guard walks through, and a lamp that may be lit in room 0 only. */
const lampInRoomZero = (
  walks: boolean,
  fair: ReadonlyMap<number, string>,
): Model<{ room: number; lit: boolean }, string> => ({
  initial: { room: 0, lit: false },
  expand: ({ room, lit }, emit) => {
    if (!lit && walks) {
      emit('walk', 0, { room: (room + 1) % 3, lit });
    }
    if (!lit && room === 0) {
      emit('light', 1, { room, lit: true });
    }
    if (!lit) {
      emit('whistle', 2, { room, lit });
    }
  },
  encode: ({ room, lit }, out) => {
    out.byte(room);
    out.flag(lit);
  },
  goals: [{ name: 'the lamp is lit', pending: ({ lit }) => !lit }],
  fair,
});

describe('liveness', () => {
  const lampFair = new Map([[1, 'light']]);

  test('weak fairness excludes the run that could always light the lamp and never does', () => {
    expect(run(lampInRoomZero(false, lampFair)).verdict.kind).toBe('holds');
    expect(run(lampInRoomZero(false, new Map())).verdict.kind).toBe('unlive');
  });

  test('weak fairness does not help a move that is enabled only now and then; the cycle is real', () => {
    const outcome = run(lampInRoomZero(true, lampFair));
    if (outcome.verdict.kind !== 'unlive') {
      throw new Error('no lasso was found');
    }
    const { stem, cycle } = outcome.verdict;
    expect(stem.steps).toHaveLength(0);
    expect(cycle.steps.map((step) => step.action)).toEqual(['walk', 'walk', 'walk']);
    expect(cycle.steps.at(-1)?.after).toEqual(cycle.initial);
    const story = tell(outcome.verdict, { sentence: (action) => action, changes: () => [] });
    expect(story).toContain('round and round');
  });

  test('a state that no move has to leave is reported as an endless wait', () => {
    const model: Model<number, string> = {
      initial: 0,
      expand: (state, emit) => {
        if (state < 4) {
          emit('on', 0, state + 1);
        }
      },
      encode: (state, out) => out.byte(state),
      goals: [{ name: 'reaches 5', pending: (state) => state < 5 }],
      fair: new Map([[0, 'on']]),
    };
    const outcome = run(model);
    expect(outcome.verdict).toMatchObject({ kind: 'unlive', goal: 'reaches 5', cycle: { steps: [] } });
    expect(lengthOf(outcome)).toBe(4);
    expect(run({ ...model, goals: [{ name: 'reaches 4', pending: (state) => state < 4 }] }).verdict.kind).toBe('holds');
  });

  test('the checker agrees with a search through all sets of states, on small random graphs', () => {
    const size = 6;
    const edge = fc.record({ from: fc.nat(size - 1), to: fc.nat(size - 1), kind: fc.nat(2) });
    const graphs = fc.record({
      edges: fc.array(edge, { maxLength: 14 }),
      pending: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
      fair: fc.uniqueArray(fc.nat(2)),
    });
    fc.assert(
      fc.property(graphs, ({ edges, pending, fair }) => {
        const { verdict } = run<number, number>({
          initial: 0,
          expand: (state, emit) => {
            for (const one of edges) {
              if (one.from === state) {
                emit(one.kind, one.kind, one.to);
              }
            }
          },
          encode: (state, out) => out.byte(state),
          goals: [{ name: 'goal', pending: (state) => pending[state] ?? false }],
          fair: new Map(fair.map((kind) => [kind, `${kind}`])),
        });
        expect(verdict.kind).toBe(fairTrapExists(size, edges, pending, fair) ? 'unlive' : 'holds');
        if (verdict.kind !== 'unlive') {
          return;
        }
        const round = [verdict.cycle.initial, ...verdict.cycle.steps.map((step) => step.after)];
        expect(round.at(-1)).toBe(round[0]);
        expect(round.every((state) => pending[state])).toBe(true);
        for (const kind of fair) {
          const taken = verdict.cycle.steps.some((step) => step.kind === kind);
          const enabled = round.every((state) => edges.some((one) => one.from === state && one.kind === kind));
          expect(taken || !enabled).toBe(true);
        }
      }),
      { numRuns: 1_000, seed: 20_240 },
    );
  });
});

interface Arc {
  readonly from: number;
  readonly to: number;
  readonly kind: number;
}

/** Whether a set of reachable, pending states exists in which a run can stay for ever and be fair: by trying all sets. */
function fairTrapExists(
  size: number,
  arcs: readonly Arc[],
  pending: readonly boolean[],
  fair: readonly number[],
): boolean {
  const reach = (from: number, inside: (state: number) => boolean): Set<number> => {
    const seen = new Set([from]);
    for (const state of seen) {
      for (const arc of arcs) {
        if (arc.from === state && inside(arc.to)) {
          seen.add(arc.to);
        }
      }
    }
    return seen;
  };
  const reachable = reach(0, () => true);
  for (let bits = 1; bits < 1 << size; bits += 1) {
    const inside = (state: number): boolean => ((bits >> state) & 1) === 1;
    const members = Array.from({ length: size }, (_, state) => state).filter(inside);
    if (!members.every((state) => reachable.has(state) && pending[state])) {
      continue;
    }
    if (!members.every((state) => reach(state, inside).size === members.length)) {
      continue;
    }
    const paid = fair.every(
      (kind) =>
        arcs.some((arc) => arc.kind === kind && inside(arc.from) && inside(arc.to)) ||
        members.some((state) => !arcs.some((arc) => arc.from === state && arc.kind === kind)),
    );
    if (paid) {
      return true;
    }
  }
  return false;
}
