/**
 * The model checker on the session core, as far as a test run has time for it: `npm run check:model` explores all
 * configurations, `npm run check:mutants` all mutants. What is pinned here is pinned there.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { named as configOf } from '../../check/configs.ts';
import { configs } from '../../check/model/configs.ts';
import { mutated } from '../../check/mutants/build.ts';
import type { Mutant } from '../../check/mutants/list.ts';
import { mutants } from '../../check/mutants/list.ts';
import { runAll } from '../../check/pool.ts';
import type { Job } from '../../check/worker.ts';

const pinned = <T>(file: string): { readonly [name: string]: T } =>
  JSON.parse(readFileSync(new URL(`../../check/${file}`, import.meta.url), 'utf8')) as { readonly [name: string]: T };

const states = pinned<{ readonly states: number; readonly transitions: number; readonly depth: number }>('pins.json');
const found = pinned<{ readonly config: string; readonly property: string; readonly steps: number }>('mutants.json');
const patience = 120_000;

describe('the session core', () => {
  const few = ['small', 'small-protection', 'unable', 'rollback'];

  test(
    'keeps every property in the small configurations, which have the pinned numbers of states',
    async () => {
      const jobs = few.map((config): Job => ({ config, core: null, maxStates: null }));
      const answers = await runAll(jobs, 2, {});
      expect(answers.map((answer) => answer.story)).toEqual(few.map(() => ''));
      for (const { config, stats } of answers) {
        const { states: seen, transitions, depth } = stats;
        expect({ config, states: seen, transitions, depth }).toEqual({ config, ...states[config] });
      }
    },
    patience,
  );

  test('has pinned numbers for every configuration of the daily set', () => {
    const daily = configs.filter((config) => !config.deep).map((config) => config.name);
    expect(daily.filter((name) => states[name] === undefined)).toEqual([]);
    expect(new Set(configs.map((config) => config.name)).size).toBe(configs.length);
  });

  test('is explored with every `whenBusy` policy, and with enough tasks in each lane', () => {
    const slots = configs.filter((config) => !config.deep).flatMap((config) => config.slots);
    const policies = new Set(slots.map((slot) => slot.whenBusy));
    expect([...policies].sort()).toEqual(
      ['collect', 'enqueue', 'interrupt', 'preempt', 'reject', 'replace', 'rollback', 'steer'].sort(),
    );
    const most = (lane: string): number =>
      Math.max(...configs.map((config) => config.slots.filter((slot) => slot.lane === lane && !config.deep).length));
    expect(most('background')).toBeGreaterThanOrEqual(3);
    expect(most('interactive')).toBeGreaterThanOrEqual(4);
  });
});

describe('a mutant of the core', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'signalbox-mutants-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const few = [
    'demand is a counter: a withdrawal takes away the first one',
    'a release names no hold',
    'an interrupt names no turn',
    'kill after wake: the successor starts before the old agent is reaped',
    'a terminal status without final',
    'nobody counts who is passed over',
    'a rule looks at the number of an epoch',
  ];
  const named = (name: string): Mutant => {
    const mutant = mutants.find((one) => one.name === name);
    if (mutant === undefined) {
      throw new Error(`there is no mutant "${name}"`);
    }
    return mutant;
  };

  test(
    'is found by the pinned property in the pinned number of steps (seven of them)',
    async () => {
      const jobs = few.map((name, index): Job => {
        const mutant = named(name);
        return { config: mutant.config, core: mutated(mutant, join(directory, `found-${index}`)), maxStates: null };
      });
      const answers = await runAll(jobs, 2, {});
      const results = answers.map(({ config, property, length }) => ({ config, property, steps: length }));
      expect(results).toEqual(few.map((name) => found[name]));
      for (const answer of answers) {
        expect(answer.story).toContain(`BROKEN: ${answer.property}`);
      }
      expect(answers[few.indexOf('nobody counts who is passed over')]?.story).toContain('round and round');
    },
    patience,
  );

  test('is one edit, applies to what is there, and is pinned', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(34);
    expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length);
    for (const [index, mutant] of mutants.entries()) {
      expect(mutated(mutant, join(directory, `built-${index}`))).toContain(
        mutant.root === 'src/core' ? 'index.ts' : mutant.file,
      );
      expect(configOf(mutant.config)?.deep).toBe(false);
    }
    expect(mutants.map((mutant) => mutant.name).filter((name) => found[name] === undefined)).toEqual([]);
  });

  test('that does not apply exactly once is an error', () => {
    const mutant = named('no protection');
    expect(() => mutated({ ...mutant, from: 'not in the file' }, directory)).toThrow('applies 0 times');
    expect(() => mutated({ ...mutant, from: 'task' }, directory)).toThrow('mend its text');
  });
});
