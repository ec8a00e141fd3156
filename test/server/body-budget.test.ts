/** Which request bodies are read, wait and are given up. */
import { describe, expect, test } from 'vitest';
import { BodyBudget } from '../../src/server/body-budget.ts';
import { ManualClock } from '../support/manual-clock.ts';

const long = 100_000;

/** A budget with room for three long bodies, and a list of what it told each body. */
function openBudget() {
  const clock = new ManualClock();
  const budget = new BodyBudget({ bytes: 4 * long, longest: long, clock });
  const told: string[] = [];
  const enter = (name: string, bytes: number) =>
    budget.share(bytes, { read: () => told.push(`${name} read`), cut: () => told.push(`${name} cut`) });
  return { clock, budget, told, enter };
}

describe('a short body', () => {
  test('is read at once, whatever the long ones do', () => {
    const { told, enter } = openBudget();
    for (const name of ['a', 'b', 'c', 'd']) {
      enter(name, long);
    }
    enter('short', 10);
    expect(told).toEqual(['a read', 'b read', 'c read', 'short read']);
  });

  test('that began first is given up for the others', () => {
    const { told, enter, budget } = openBudget();
    const [first, second, third] = ['first', 'second', 'third'].map((name) => enter(name, 60_000));
    told.length = 0;
    second?.take(50_000);
    first?.take(40_000);
    expect([budget.used, told]).toEqual([90_000, []]);
    third?.take(20_000);
    expect([budget.used, budget.cuts, told]).toEqual([60_000, 1, ['second cut']]);
    third?.release();
    first?.release();
    second?.release();
    expect(budget.used).toBe(0);
  });
});

describe('long bodies', () => {
  test('wait for room by their whole length, and are read in the order in which they came', () => {
    const { told, enter, budget } = openBudget();
    const first = enter('a', long);
    enter('b', 2 * long);
    enter('c', long);
    // It would fit, and must not be read before `c`.
    const last = enter('d', 70_000);
    expect([told, budget.waiting, budget.used]).toEqual([['a read', 'b read'], 2, 0]);
    first.take(long);
    expect(budget.used).toBe(long);
    first.release();
    expect([told.slice(2), budget.waiting, budget.used]).toEqual([['c read'], 1, 0]);
    last.release();
    expect(budget.waiting).toBe(0);
  });

  test('of which one takes too long are given up only when another waits', () => {
    const { clock, told, enter } = openBudget();
    enter('slow', 3 * long);
    clock.advance(60_000);
    expect(told).toEqual(['slow read']);
    enter('next', 3 * long);
    expect(told.slice(1)).toEqual(['slow cut', 'next read']);
    enter('third', long);
    clock.advance(3_999);
    expect(told.slice(3)).toEqual([]);
    clock.advance(1);
    expect(told.slice(3)).toEqual(['next cut', 'third read']);
  });

  test('wait 8 s at most', () => {
    const { clock, told, enter, budget } = openBudget();
    for (const name of ['a', 'b', 'c', 'd']) {
      enter(name, 3 * long);
    }
    clock.advance(4_000);
    expect(told).toEqual(['a read', 'a cut', 'b read']);
    clock.advance(4_000);
    expect(told.slice(3)).toEqual(['c cut', 'd cut']);
    expect([budget.cuts, budget.waiting]).toEqual([3, 0]);
  });

  test('are given up at once where 64 wait already', () => {
    const { told, enter, budget } = openBudget();
    enter('first', 3 * long);
    const waiting = Array.from({ length: 64 }, (_, index) => enter(`w${index}`, 3 * long));
    enter('one too many', 3 * long);
    expect(told).toEqual(['first read', 'one too many cut']);
    waiting[0]?.release();
    enter('after', 3 * long);
    expect([told.length, budget.waiting]).toEqual([2, 64]);
  });
});
