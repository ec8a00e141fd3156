/** Two nodes on one store: what must hold does, and each rule of their protocol is needed. `npm run check:model` explores the large configurations. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { explore, lengthOf } from '../../check/engine/index.ts';
import { mutants } from '../../check/mutants/list.ts';
import { leaseConfigNamed, lettersConfigNamed } from '../../check/nodes/configs.ts';
import { lettersModelOf } from '../../check/nodes/letters/model.ts';
import { realCore } from '../../check/model/core.ts';
import { leaseModelOf } from '../../check/nodes/model.ts';
import { nodeRules, type NodeRules } from '../../check/nodes/rules.ts';
import { leaseTimes } from '../../src/protocol/lease-times.ts';

const pinned = <T>(file: string): { readonly [name: string]: T } =>
  JSON.parse(readFileSync(new URL(`../../check/${file}`, import.meta.url), 'utf8')) as { readonly [name: string]: T };
const states = pinned<{ readonly states: number }>('pins.json');
const found = pinned<{ readonly config: string; readonly property: string; readonly steps: number }>('mutants.json');

function outcomeOf(name: string, core: { leaseTimes?: typeof leaseTimes; rules?: Partial<NodeRules> } = {}) {
  const config = leaseConfigNamed(name);
  if (config === undefined) {
    throw new Error(`there is no configuration ${name}`);
  }
  const model = leaseModelOf(config, {
    leaseTimes: core.leaseTimes ?? leaseTimes,
    nodeRules: { ...nodeRules, ...core.rules },
  });
  return explore(model, { now: () => 0 });
}

test('the nodes keep their promises in the small configurations, which have the pinned numbers of states', () => {
  for (const config of ['nodes-renewals', 'nodes-freeze']) {
    const { verdict, stats } = outcomeOf(config);
    expect(verdict.kind).toBe('holds');
    expect(stats.states).toBe(states[config]?.states);
  }
});

test('times that leave no room between freezing and death are found', () => {
  const late: typeof leaseTimes = (ttlMs) => ({ ...leaseTimes(ttlMs), freezeMs: ttlMs });
  const outcome = outcomeOf('nodes-freeze', { leaseTimes: late });
  expect(outcome.verdict).toMatchObject({ broken: { property: found['agents are frozen at the lapse']?.property } });
  expect(lengthOf(outcome)).toBe(found['agents are frozen at the lapse']?.steps);
});

test('a declaration that does not look at the beat again is found', () => {
  const outcome = outcomeOf('nodes-freeze', { rules: { declares: (_sameBeat, sameEra) => sameEra } });
  const pin = found['a death is declared without another look at the beat'];
  expect(outcome.verdict).toMatchObject({ kind: 'unsafe', broken: { property: pin?.property } });
  expect(lengthOf(outcome)).toBe(pin?.steps);
});

function lettersModel(name: string) {
  const config = lettersConfigNamed(name);
  if (config === undefined) {
    throw new Error(`there is no configuration ${name}`);
  }
  return lettersModelOf(config, realCore);
}

test('letters and writes keep their promises within the pinned number of states', () => {
  const { verdict, stats } = explore(lettersModel('nodes-letters'), { now: () => 0 });
  expect(verdict.kind).toBe('holds');
  expect(stats.states).toBe(states['nodes-letters']?.states);
}, 60_000);

test('a successor is in a turn while an interrupt of the node before it is under way', () => {
  const never: ReturnType<typeof lettersModel> = {
    ...lettersModel('nodes-letters-interrupt'),
    invariants: [
      {
        name: 'never',
        check: ({ lateInterrupts, holds, isDead }) =>
          isDead.A && lateInterrupts.length > 0 && (holds.B?.agent?.turn ?? null) !== null ? 'it is reached' : null,
      },
    ],
  };
  expect(explore(never, { now: () => 0 }).verdict).toMatchObject({
    kind: 'unsafe',
    broken: { detail: 'it is reached' },
  });
}, 60_000);

test('every rule of the nodes has a mutant', () => {
  const ofRules = mutants.filter(({ file }) => file === 'rules.ts').map(({ from }) => from);
  const source = readFileSync(new URL('../../check/nodes/rules.ts', import.meta.url), 'utf8');
  const values = source.slice(source.indexOf('export const nodeRules'));
  const lines = values.split('\n').filter((line) => /^ {2}\w+:/.test(line));
  expect(lines).toHaveLength(Object.keys(nodeRules).length);
  expect(lines.filter((line) => !ofRules.some((from) => line.includes(from)))).toEqual([]);
});
