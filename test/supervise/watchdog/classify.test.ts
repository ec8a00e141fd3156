/** What an agent's silence means: `supervision/7`. */
import { expect, test } from 'vitest';
import type { AgentSight } from '../../../src/supervise/watchdog/classify.ts';
import { classify } from '../../../src/supervise/watchdog/classify.ts';

const patience = { quietMs: 60_000, goneMs: 5_000, answers: { interrupt: 5_000, prompt: 60_000, start: 30_000 } };
const well: AgentSight = {
  inTurn: true,
  ending: false,
  permissionRequests: 0,
  quietMs: 1_000,
  pending: [],
  goneMs: null,
  ownCpu: null,
  treeCpu: null,
};
const interrupt = (ageMs: number): AgentSight['pending'] => [{ what: 'interrupt', id: '7', ageMs }];

test.each<readonly [what: string, sight: Partial<AgentSight>, found: string | null]>([
  ['one that speaks', {}, null],
  ['one at rest, however long', { inTurn: false, quietMs: 9e9 }, null],
  ['one that is silent and idle', { quietMs: 60_000, ownCpu: 0.01, treeCpu: 0.01 }, 'agent-silent'],
  ['one that is silent, where nothing can be measured', { quietMs: 60_000 }, 'agent-silent'],
  ['one whose tool works', { quietMs: 600_000, ownCpu: 0, treeCpu: 0.8 }, null],
  ['one that works silently', { quietMs: 600_000, ownCpu: 0.5, treeCpu: 0.5 }, null],
  ['one that spins', { quietMs: 60_000, ownCpu: 0.99, treeCpu: 0.99 }, 'agent-spinning'],
  ['one that spins and speaks', { quietMs: 10, ownCpu: 0.99, treeCpu: 0.99 }, null],
  ['one that spins and does not answer', { pending: interrupt(5_000), ownCpu: 1, treeCpu: 1 }, 'agent-spinning'],
  ['one that does not answer', { pending: interrupt(5_000), ownCpu: 0, treeCpu: 0 }, 'protocol-stuck'],
  ['one that still may answer', { pending: interrupt(4_999) }, null],
  ['one that was asked what nobody answers', { pending: [{ what: 'answer', id: '1', ageMs: 9e9 }] }, null],
  ['one that is silent after a question', { pending: interrupt(9_000), quietMs: 61_000 }, 'protocol-stuck'],
  [
    'one that waits for a person, for days',
    { permissionRequests: 1, quietMs: 9e9, ownCpu: 0, treeCpu: 0 },
    'waiting-for-person',
  ],
  [
    'one that waits for a person with a question open',
    { permissionRequests: 2, pending: interrupt(9_000) },
    'waiting-for-person',
  ],
  [
    'one whose process is gone',
    { goneMs: 5_000, permissionRequests: 1, quietMs: 60_000, ownCpu: 1 },
    'channel-orphaned',
  ],
  ['one whose process has just gone', { goneMs: 4_999 }, null],
])('the watchdog classifies an agent: %s', (_, sight, found) => {
  expect(classify({ ...well, ...sight }, patience)?.class ?? null).toBe(found);
});

test('the watchdog gives its reason, with a duration', () => {
  expect(classify({ ...well, pending: interrupt(6_400) }, patience)?.why).toBe(
    'it lives and has not answered interrupt 7 for 6.4 s',
  );
  expect(classify({ ...well, quietMs: 125_000, ownCpu: 1, treeCpu: 1 }, patience)?.why).toBe(
    'it says nothing for 125 s and uses all of a core',
  );
});
