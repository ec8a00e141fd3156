/**
 * What is judged once for all states that are written alike must be all that an oracle could look at: each field of the session
 * and of an input, whichever there will be.
 */
import { describe, expect, test } from 'vitest';
import { Writer } from '../../check/engine/index.ts';
import { Canon } from '../../check/model/canon.ts';
import { configNamed } from '../../check/model/configs.ts';
import { realCore } from '../../check/model/core.ts';
import { modelOf } from '../../check/model/model.ts';
import { tokenKind } from '../../check/model/tokens.ts';
import type { Action, View, World } from '../../check/model/world.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import { epoch, incarnation, turnId } from '../../src/core/model/ids.ts';

const named = (name: string): Parameters<typeof modelOf>[0] => {
  const config = configNamed(name);
  if (config === undefined) {
    throw new Error(`there is no configuration ${name}`);
  }
  return config;
};

interface Step {
  readonly before: World;
  readonly action: Action;
}

/** Some of the moves of a configuration, in states of many kinds: one and the same at each run. */
function steps(name: string): readonly Step[] {
  const model = modelOf(named(name), realCore);
  const way: Step[] = [];
  let chance = 1;
  for (let start = 0; start < 10; start += 1) {
    let world = model.initial;
    for (let step = 0; step < 30; step += 1) {
      const moves: { action: Action; after: World }[] = [];
      model.expand(world, (action, _kind, after) => moves.push({ action, after }));
      chance = (chance * 48_271) % 2_147_483_647;
      const move = moves[chance % Math.max(1, moves.length)];
      if (move === undefined) {
        break;
      }
      way.push({ before: world, action: move.action });
      world = move.after;
    }
  }
  return way;
}

/** Writes views and inputs to them, as bytes that can be compared. */
function pen(name: string): { view: (view: View) => string; input: (view: View, input: Input) => string } {
  const writer = new Writer();
  const canon = new Canon(named(name), writer);
  const written = (): string => Buffer.from(writer.words.slice(0, writer.seal()).buffer).toString('hex');
  const write = (view: View): ReturnType<Canon['view']> => {
    writer.reset();
    return canon.view(view);
  };
  return {
    view: (view) => {
      write(view);
      return written();
    },
    input: (view, input) => {
      const names = write(view);
      writer.reset();
      canon.input(input, names);
      return written();
    },
  };
}

/** The same data with one thing in it changed, for each thing in it that is no name and is not left out. */
function* changes<T>(value: T, path: readonly string[]): Generator<readonly [string, T]> {
  const [holder, field] = path.slice(-2);
  if (Array.isArray(value)) {
    yield [path.join('.'), [...(value as readonly unknown[]), 'one more'] as T];
    return;
  }
  if (typeof value === 'object' && value !== null) {
    const isNode = 'left' in value;
    if (path.length > 0 && !isNode && !('compare' in value)) {
      yield [`${path.join('.')} has one more field`, { ...value, more: 1 }];
    }
    for (const [key, entry] of Object.entries(value)) {
      const skipped = isNode ? ['height', 'size'] : ['compare', 'key', 'limits', 'seq'];
      const isEmptyLink = entry === null && ['root', 'left', 'right'].includes(key);
      if (!skipped.includes(key) && !isEmptyLink) {
        for (const [where, changed] of changes(entry as unknown, [...path, key])) {
          yield [where, { ...value, [key]: changed }];
        }
      }
    }
    return;
  }
  const isName = typeof value === 'number' && field !== undefined && tokenKind(field) !== null && holder !== 'call';
  if (!isName && field !== 'subject' && field !== 'generation') {
    const text = typeof value === 'string' ? `${value}!` : 'other';
    const changed = typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : text;
    yield [path.join('.'), changed as T];
  }
}

const some = ['collect-preempted', 'steer-runner', 'permission', 'switch-riders'] as const;

describe.each(some)('what is judged once in configuration %s', (name) => {
  const way = steps(name);
  const write = pen(name);

  test('differs from one with another field of the session or of its slots', () => {
    const same = way.flatMap(({ before }) => {
      const { session, slots } = before;
      const bytes = write.view(before);
      return [...changes({ session, slots }, [])]
        .filter(([, view]) => write.view(view) === bytes)
        .map(([path]) => path);
    });
    expect(way.length).toBeGreaterThan(100);
    expect([...new Set(same)]).toEqual([]);
  });

  test('differs from one with another field of an input', () => {
    const same = way.flatMap(({ before, action: { input } }) => {
      if (input === null) {
        return [];
      }
      const bytes = write.input(before, input);
      return [...changes(input, [input.type])]
        .filter(([, other]) => write.input(before, other) === bytes)
        .map(([path]) => path);
    });
    expect([...new Set(same)]).toEqual([]);
  });
});

describe('a name', () => {
  const write = pen('small');
  const world = steps('small').find(({ before }) => before.session.hold?.turn?.phase === 'sent')?.before;
  const hold = world?.session.hold ?? null;
  const turn = hold?.turn ?? null;
  const agent = world?.session.agent ?? null;
  if (world === undefined || hold === null || turn === null || agent?.kind !== 'up') {
    throw new Error('no turn on the wire is met');
  }
  const { slots, session } = world;
  const bytes = write.view(world);
  const withTurn = (id: number): Session => ({ ...session, hold: { ...hold, turn: { ...turn, id: turnId(id) } } });

  test('may have any value', () => {
    const renamed: Session = {
      ...withTurn(turn.id + 7),
      turns: turnId(session.turns + 7),
      conversation: { ...session.conversation, firstTurn: turnId(turn.id + 7) },
      incarnations: incarnation(session.incarnations + 9),
      agent: { ...agent, incarnation: incarnation(agent.incarnation + 9) },
    };
    expect(write.view({ slots, session: renamed })).toBe(bytes);
    const ack = (inc: number, id: number): Input => ({
      at: 1,
      type: 'ack',
      incarnation: incarnation(inc),
      turn: turnId(id),
      noResult: false,
    });
    const wanted = write.input(world, ack(agent.incarnation, turn.id));
    const renamedInput = (inc: number, id: number): string => write.input({ slots, session: renamed }, ack(inc, id));
    expect(renamedInput(agent.incarnation + 9, turn.id + 7)).toBe(wanted);
    expect(renamedInput(agent.incarnation, turn.id + 7)).not.toBe(wanted);
    expect(renamedInput(agent.incarnation + 9, turn.id)).not.toBe(wanted);
  });

  test('is the same wherever it stands', () => {
    expect(write.view({ slots, session: withTurn(turn.id + 7) })).not.toBe(bytes);
    expect(write.view({ slots, session: { ...session, epoch: epoch(session.epoch + 1) } })).not.toBe(bytes);
  });
});
