/** What the players of real programs have in common: directives in their prompts, and the faults that need no protocol. */
import { closeSync } from 'node:fs';
import { realTimers } from '../../../src/supervise/timers.ts';
import type { Stdout } from '../../../src/agents/scripted/program/stdout.ts';

export interface Directive {
  readonly name: string;
  readonly argument: string;
}

/** `[[name]]` or `[[name:argument]]`, in order. */
export const directivesIn = (text: string): readonly Directive[] =>
  [...text.matchAll(/\[\[([a-z-]+)(?::((?:(?!\]\]).)*))?\]\]/gs)].map(([, name = '', argument = '']) => ({
    name,
    argument,
  }));

/** What the program refuses, from a directive on. */
export const refuses = { term: false, eof: false };

/** Ends the program with SIGTERM, unless it refuses. */
export function endOnSigterm(): void {
  process.on('SIGTERM', () => {
    if (!refuses.term) {
      process.exit(143);
    }
  });
}

/** Closes stdout, and lives for some time. */
export function hangUp(): void {
  closeSync(1);
  realTimers.set(120_000, () => {});
}

/** The second argument is the directive's. */
export const faults = (stdout: Stdout) =>
  ({
    hugeline: (_turn: unknown, bytes: string) => stdout.hugeLine(Number(bytes)),
    stderr: (_turn: unknown, bytes: string) =>
      new Promise<void>((resolve) => {
        process.stderr.write('e'.repeat(Number(bytes)), () => resolve());
      }),
    die: (_turn: unknown, code: string) => process.exit(Number(code)),
    'hang-up'() {
      hangUp();
      return new Promise<void>(() => {});
    },
    block() {
      const until = Date.now() + 120_000;
      while (Date.now() < until) {}
    },
    'ignore-term': () => {
      refuses.term = true;
    },
    'ignore-eof': () => {
      refuses.eof = true;
    },
  }) as const;
