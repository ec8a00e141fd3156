/** What sessions share: who gets an agent slot and a folder, and who is asked for one. */
import { describe, expect, test } from 'vitest';
import { claimId, sessionKey } from '../../../src/core/model/ids.ts';
import { newSlots } from '../../../src/core/slots/indexes.ts';
import type { Slots, SlotsEffect, SlotsInput, SlotLimits, Use } from '../../../src/core/slots/model.ts';
import { stepSlots } from '../../../src/core/slots/step.ts';
import { treeGet, treeSize } from '../../../src/core/tree.ts';

const one = { maxAgents: 1, maxStarting: 100, maxPassedOver: 2 };

/** Claims by name; each step answers its effects as short texts, without deadlines unless they are asked for. */
function setUp(limits: Partial<SlotLimits> = {}) {
  let slots: Slots = newSlots({ ...one, ...limits });
  const names: string[] = [];
  const nameOf = (claim: number): string => names[claim - 1] ?? '?';
  const idOf = (name: string) => claimId(names.lastIndexOf(name) + 1);
  const textOf = (effect: SlotsEffect): string => {
    switch (effect.type) {
      case 'grant':
        return `grant ${nameOf(effect.claim)}`;
      case 'arm':
      case 'disarm':
        return `${effect.type} ${effect.name} ${nameOf(effect.claim)}`;
      case 'make-room':
      case 'give-way':
      case 'hand-over':
        return `${effect.type} ${nameOf(effect.claim)} for ${nameOf(effect.waiter)}`;
    }
  };
  let deadlines: string[] = [];
  const take = (input: SlotsInput): string[] => {
    const result = stepSlots(slots, input);
    slots = result.slots;
    const texts = result.effects.map(textOf);
    deadlines = texts.filter((text) => /^(dis)?arm /.test(text));
    return texts.filter((text) => !deadlines.includes(text));
  };
  return {
    get slots() {
      return slots;
    },
    get deadlines() {
      return deadlines;
    },
    take,
    claim(name: string, { urgent = false, folder = null as string | null, foreign = false } = {}) {
      names.push(name);
      return take({ type: 'claim', claim: idOf(name), session: sessionKey(name), folder, foreign, urgent });
    },
    urgency: (name: string, urgent: boolean) => take({ type: 'urgency', claim: idOf(name), urgent }),
    use: (name: string, use: Exclude<Use, 'starting'>, turn = 1) => take({ type: 'use', claim: idOf(name), use, turn }),
    started: (name: string) => take({ type: 'started', claim: idOf(name) }),
    declined: (name: string) => take({ type: 'declined', claim: idOf(name) }),
    foreign: (name: string) => take({ type: 'foreign', claim: idOf(name) }),
    release: (name: string) => take({ type: 'release', claim: idOf(name) }),
    fire: (timer: 'wait' | 'protected', name: string) => take({ type: 'timer', name: timer, claim: idOf(name) }),
    passes: (name: string) => treeGet(slots.claims, idOf(name))?.passes,
  };
}

const folder = 'shared';

describe('slots and folders', () => {
  test('the machine grants no more slots than there are (slots/1)', () => {
    const m = setUp({ maxAgents: 2 });
    expect([m.claim('a'), m.claim('b'), m.claim('c')]).toEqual([['grant a'], ['grant b'], []]);
    expect(m.release('a')).toEqual(['grant c']);
  });

  test('the machine starts no more agents at once than allowed (slots/1)', () => {
    const m = setUp({ maxAgents: 9, maxStarting: 1 });
    expect([m.claim('a'), m.claim('b'), m.claim('c')]).toEqual([['grant a'], [], []]);
    expect(m.started('a')).toEqual(['grant b']);
    expect(m.started('a')).toEqual([]);
    expect(m.release('b')).toEqual(['grant c']);
  });

  test('the machine grants folder and slot in one step, so that no claim has one and waits for the other (slots/2)', () => {
    const m = setUp();
    m.claim('a');
    expect(m.claim('b', { folder })).toEqual([]);
    // `b` waits for a slot and keeps the folder from nobody.
    expect(m.claim('c', { folder, urgent: true })).toEqual([]);
    expect(m.release('a')).toEqual(['grant c']);
    expect(m.release('c')).toEqual(['grant b']);
  });

  test('a claim waits while another process has its folder, and keeps its place (slots/2)', () => {
    const m = setUp({ maxAgents: 2 });
    expect(m.claim('a', { folder })).toEqual(['grant a']);
    expect(m.foreign('a')).toEqual([]);
    expect(m.claim('b', { folder })).toEqual([]);
    expect(m.claim('c')).toEqual(['grant c']);
    expect(m.take({ type: 'folder-free', folder })).toEqual(['grant a']);
    expect(m.claim('d', { folder: 'other', foreign: true })).toEqual([]);
    m.release('c');
    expect(m.take({ type: 'folder-free', folder: 'other' })).toEqual(['grant d']);
  });

  test('the machine grants urgent claims first, then the oldest (slots/3)', () => {
    const m = setUp();
    for (const [name, urgent] of [
      ['a', false],
      ['b', false],
      ['c', true],
      ['d', true],
    ] as const) {
      m.claim(name, { urgent });
    }
    expect(['a', 'c', 'd'].map((name) => m.release(name))).toEqual([['grant c'], ['grant d'], ['grant b']]);
  });

  test('the machine follows a change of urgency while a claim waits (slots/3)', () => {
    const m = setUp();
    m.claim('a');
    m.claim('b');
    m.claim('c');
    m.urgency('c', true);
    expect(m.release('a')).toEqual(['grant c']);
    m.claim('d', { urgent: true });
    m.urgency('d', false);
    expect(m.release('c')).toEqual(['grant b']);
  });

  test('a free slot passes a claim whose folder is in use (slots/3)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a', { folder });
    expect(m.claim('b', { folder, urgent: true })).toEqual([]);
    expect(m.claim('c')).toEqual(['grant c']);
  });
});

describe('a claim that finds no slot', () => {
  test('asks the agent that has been idle longest to make room, one for each claim (slots/4)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a');
    m.claim('b');
    m.use('b', 'idle');
    m.use('a', 'idle');
    expect(m.claim('c')).toEqual(['make-room b for c']);
    expect(m.claim('d')).toEqual(['make-room a for c']);
    expect(m.claim('e')).toEqual([]);
    expect(m.release('b')).toEqual(['grant c']);
  });

  test('asks one more idle agent beside the one whose folder is waited for, and none for an agent that ends by itself (slots/4)', () => {
    const m = setUp({ maxAgents: 3 });
    m.claim('a', { folder });
    m.claim('b');
    m.claim('e');
    m.use('a', 'idle');
    m.use('b', 'idle');
    m.use('e', 'ending');
    expect(m.claim('c', { folder })).toEqual(['make-room a for c']);
    expect(m.claim('d')).toEqual([]);
    expect(m.claim('f')).toEqual(['make-room b for d']);
  });

  test('asks the session that has the folder, and not another one (slots/4)', () => {
    const m = setUp({ maxAgents: 3 });
    m.claim('a', { folder });
    m.claim('b');
    m.use('b', 'idle');
    m.use('a', 'kept');
    expect(m.claim('c', { folder })).toEqual([]);
    expect(m.use('a', 'idle')).toEqual(['make-room a for c']);
    expect(m.release('a')).toEqual(['grant c']);
  });

  test('asks another session after one has declined (slots/4)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a');
    m.claim('b');
    m.use('a', 'idle');
    expect(m.claim('c')).toEqual(['make-room a for c']);
    m.use('a', 'shielded', 2);
    m.use('b', 'idle');
    expect(m.declined('a')).toEqual(['make-room b for c']);
  });

  test('interrupts one background turn if it is urgent and no agent is idle (slots/5)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a');
    m.claim('b');
    m.use('a', 'background', 7);
    m.use('b', 'background', 3);
    expect(m.claim('c', { urgent: true })).toEqual(['give-way b for c']);
    expect(m.use('b', 'shielded', 3)).toEqual([]);
    expect(m.use('b', 'ending', 3)).toEqual([]);
    expect(m.release('b')).toEqual(['grant c']);
  });

  test('interrupts the turn in its folder though a due claim is before it, which gets the folder first (slots/5)', () => {
    for (const isDueToo of [false, true]) {
      const m = setUp({ maxAgents: 4 });
      m.claim('a', { folder });
      m.claim('b', { folder });
      m.claim('c', { folder, urgent: true });
      m.fire('wait', 'b');
      if (isDueToo) {
        m.fire('wait', 'c');
      }
      expect(m.use('a', 'background', 7)).toEqual(['give-way a for c']);
      expect(m.release('a')).toEqual(['grant b']);
    }
    // Also when the session was asked to hand over already.
    const m = setUp({ maxAgents: 4 });
    m.claim('a', { folder });
    m.use('a', 'background', 7);
    m.claim('b', { folder });
    expect(m.fire('wait', 'b')).toEqual(['hand-over a for b']);
    expect(m.claim('c', { folder, urgent: true })).toEqual(['give-way a for c']);
    // What was asked once is not asked again.
    expect(m.claim('d', { folder, urgent: true })).toEqual([]);
  });

  test('interrupts nothing for a background claim (slots/5)', () => {
    const m = setUp();
    m.claim('a');
    m.use('a', 'background');
    expect(m.claim('b')).toEqual([]);
    expect(m.urgency('b', true)).toEqual(['give-way a for b']);
  });

  test('never interrupts an interactive or protected turn, or an agent that starts (slots/5)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a');
    m.claim('b');
    m.use('a', 'shielded');
    expect(m.claim('c', { urgent: true })).toEqual([]);
    expect(m.use('b', 'background')).toEqual(['give-way b for c']);
  });

  test('chooses the turn that gave way least, and of these the youngest (slots/5)', () => {
    const m = setUp({ maxAgents: 3, maxPassedOver: 9 });
    for (const name of ['a', 'b', 'c']) {
      m.claim(name);
      m.use(name, 'background');
    }
    expect(m.claim('d', { urgent: true })).toEqual(['give-way c for d']);
    m.release('c');
    m.use('d', 'shielded');
    m.claim('c');
    m.release('d');
    expect(m.passes('c')).toBe(1);
    m.use('c', 'background', 2);
    expect(m.claim('e', { urgent: true })).toEqual(['give-way b for e']);
  });
});

describe('aging', () => {
  test('the machine ages a claim that others pass, until it is granted before urgent ones (slots/6)', () => {
    const m = setUp();
    m.claim('a', { urgent: true });
    m.use('a', 'shielded');
    m.claim('b');
    for (const [last, next] of [
      ['a', 'u'],
      ['u', 'v'],
    ] as const) {
      m.claim(next, { urgent: true });
      expect(m.release(last)).toEqual([`grant ${next}`]);
      m.use(next, 'shielded');
    }
    expect(m.passes('b')).toBe(2);
    m.claim('w', { urgent: true });
    expect(m.release('v')).toEqual(['grant b']);
    expect(m.deadlines).toContain('arm protected b');
    m.use('b', 'background');
    expect(m.claim('x', { urgent: true })).toEqual([]);
  });

  test('the machine protects a session that gave way too often (slots/6)', () => {
    const m = setUp();
    m.claim('a');
    for (const turn of [1, 2]) {
      m.use('a', 'background', turn);
      expect(m.claim('u', { urgent: true })).toEqual(['give-way a for u']);
      expect(m.release('a')).toEqual(['grant u']);
      m.claim('a');
      expect(m.passes('a')).toBe(turn);
      expect(m.release('u')).toEqual(['grant a']);
    }
    m.use('a', 'background', 3);
    expect(m.claim('u', { urgent: true })).toEqual([]);
  });

  test('a claim that was due stays protected until it has had a turn, though its agent is idle or kept before (slots/6)', () => {
    for (const before of [[], ['idle'], ['kept'], ['idle', 'kept', 'idle']] as const) {
      const m = setUp();
      m.claim('a', { urgent: true });
      m.use('a', 'shielded');
      m.claim('b');
      m.fire('wait', 'b');
      expect(m.release('a')).toEqual(['grant b']);
      for (const use of before) {
        m.use('b', use, 6);
      }
      m.use('b', 'background', 7);
      expect(m.deadlines).toEqual([]);
      expect(m.passes('b')).toBe(2);
      expect(m.claim('u', { urgent: true })).toEqual([]);
      expect(m.use('b', 'background', 8)).toEqual(['give-way b for u']);
    }
  });

  test('a claim is protected no longer after its turn, or after its window (slots/6)', () => {
    for (const end of ['turn', 'window', 'idle'] as const) {
      const m = setUp();
      m.claim('a', { urgent: true });
      m.use('a', 'shielded');
      m.claim('b');
      m.fire('wait', 'b');
      m.release('a');
      m.use('b', 'background', 1);
      m.claim('u', { urgent: true });
      const after = {
        turn: () => m.use('b', 'background', 2),
        window: () => m.fire('protected', 'b'),
        idle: () => m.use('b', 'idle', 1),
      };
      expect(after[end]()).toEqual([end === 'idle' ? 'make-room b for u' : 'give-way b for u']);
      expect(m.passes('b')).toBe(0);
    }
  });

  test('the machine forgets a session of which nothing is open (slots/6)', () => {
    const m = setUp();
    m.claim('a');
    m.use('a', 'background');
    m.claim('u', { urgent: true });
    m.release('a');
    expect(treeSize(m.slots.gaveWay)).toBe(1);
    m.take({ type: 'forget', session: sessionKey('a') });
    expect(treeSize(m.slots.gaveWay)).toBe(0);
  });
});

describe('a claim that is due', () => {
  test('asks the session that has had its slot longest to hand over, whatever its turn (slots/7)', () => {
    const m = setUp({ maxAgents: 2 });
    m.claim('a');
    m.claim('b');
    m.use('b', 'background');
    m.use('a', 'shielded');
    m.claim('c');
    expect(m.fire('wait', 'c')).toEqual(['hand-over a for c']);
    m.claim('d', { folder });
    expect(m.fire('wait', 'd')).toEqual(['hand-over b for c']);
    expect(m.release('b')).toEqual(['grant c']);
  });

  test('asks a session that declined to give way for its next turn, and has it hand over then (slots/7)', () => {
    const m = setUp();
    m.claim('a');
    m.use('a', 'background', 1);
    expect(m.claim('u', { urgent: true })).toEqual(['give-way a for u']);
    m.use('a', 'background', 2);
    expect(m.declined('a')).toEqual(['give-way a for u']);
    m.use('a', 'shielded', 3);
    expect(m.declined('a')).toEqual([]);
    m.fire('wait', 'u');
    expect(m.use('a', 'ending', 3)).toEqual([]);
    expect(m.release('a')).toEqual(['grant u']);
  });

  test('asks an idle agent to hand over, which may have a turn again by then (slots/7)', () => {
    const m = setUp();
    m.claim('a');
    m.use('a', 'background');
    m.claim('b', { folder });
    m.fire('wait', 'b');
    expect(m.slots.counts.handing).toBe(1);
    const n = setUp();
    n.claim('a', { folder });
    n.claim('b', { folder });
    n.fire('wait', 'b');
    expect(n.use('a', 'idle')).toEqual(['hand-over a for b']);
  });
});

describe('the deadlines of claims', () => {
  test('the machine arms the deadlines of the oldest claim of each lane (slots/8)', () => {
    const m = setUp();
    m.claim('a');
    expect(m.deadlines).toEqual([]);
    m.claim('b');
    expect(m.deadlines).toEqual(['arm wait b']);
    m.claim('c');
    expect(m.deadlines).toEqual([]);
    m.claim('u', { urgent: true });
    expect(m.deadlines).toEqual(['arm wait u']);
    m.release('a');
    expect(m.deadlines).toEqual(['disarm wait u']);
    m.release('u');
    expect(m.deadlines).toEqual(['disarm wait b', 'arm wait c']);
  });

  test('a claim is due at the end of its wait, and the next one begins to count (slots/8)', () => {
    const m = setUp();
    m.claim('a', { urgent: true });
    m.claim('b');
    m.claim('c');
    m.claim('u', { urgent: true });
    m.fire('wait', 'b');
    expect(m.deadlines).toEqual(['arm wait c']);
    expect(m.release('a')).toEqual(['grant b']);
    expect(m.fire('wait', 'b')).toEqual([]);
    expect(m.fire('protected', 'b')).toEqual([]);
    expect(m.passes('b')).toBe(0);
  });
});

describe('the function of the slots', () => {
  test('the machine grants nothing after the close of the daemon (slots/9)', () => {
    const m = setUp();
    m.claim('a');
    m.claim('b');
    m.take({ type: 'close' });
    expect(m.use('a', 'idle')).toEqual([]);
    expect(m.release('a')).toEqual([]);
    expect(m.claim('u', { urgent: true })).toEqual([]);
  });

  test('the machine changes nothing for stale input (slots/10)', () => {
    const m = setUp();
    m.claim('a');
    m.claim('b');
    m.use('a', 'background');
    const before = m.slots;
    const gone = claimId(99);
    for (const input of [
      { type: 'release', claim: gone },
      { type: 'use', claim: gone, use: 'idle', turn: 1 },
      { type: 'use', claim: claimId(2), use: 'idle', turn: 1 },
      { type: 'use', claim: claimId(1), use: 'background', turn: 1 },
      { type: 'foreign', claim: claimId(2) },
      { type: 'declined', claim: claimId(2) },
      { type: 'folder-free', folder },
      { type: 'timer', name: 'protected', claim: claimId(1) },
      { type: 'timer', name: 'wait', claim: claimId(1) },
    ] as const) {
      expect(stepSlots(before, input)).toEqual({ slots: before, effects: [] });
      expect(stepSlots(before, input).slots).toBe(before);
    }
  });

  test('the same state and input give the same result, and neither is changed (slots/10)', () => {
    const m = setUp();
    m.claim('a', { folder });
    m.use('a', 'background');
    const before = m.slots;
    const copy = JSON.stringify(before);
    const input: SlotsInput = {
      type: 'claim',
      claim: claimId(2),
      session: sessionKey('u'),
      folder,
      foreign: false,
      urgent: true,
    };
    expect(stepSlots(before, input)).toEqual(stepSlots(before, input));
    expect(JSON.stringify(before)).toBe(copy);
  });

  test('F03 a step costs the same for thousands of claims that wait (slots/11)', () => {
    const m = setUp({ maxAgents: 2 });
    for (let at = 0; at < 4000; at += 1) {
      m.claim(`s${at}`, { folder: `folder ${at}` });
    }
    const before = m.slots;
    m.release('s0');
    // What a step does not touch it shares with the state before: no index of the waiting claims was made anew.
    const depth = Math.ceil(1.45 * Math.log2(4000)) + 2;
    expect(newNodes(before.ready.root, m.slots.ready.root)).toBeLessThan(2 * depth);
    expect(newNodes(before.claims.root, m.slots.claims.root)).toBeLessThan(4 * depth);
    expect(newNodes(before.folders.root, m.slots.folders.root)).toBeLessThan(6 * depth);
  });
});

interface Node {
  readonly left: Node | null;
  readonly right: Node | null;
}

/** Nodes of the second tree that the first does not have. */
function newNodes(was: Node | null, is: Node | null): number {
  const known = new Set<Node>();
  const collect = (node: Node | null): void => {
    if (node !== null) {
      known.add(node);
      collect(node.left);
      collect(node.right);
    }
  };
  collect(was);
  const count = (node: Node | null): number =>
    node === null || known.has(node) ? 0 : 1 + count(node.left) + count(node.right);
  return count(is);
}
