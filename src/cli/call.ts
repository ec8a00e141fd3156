/** What a command gets: its parsed arguments. */
import { invariant } from '../core/errors.ts';
import type { Io } from './io.ts';

/** Resolves with the exit code. Throws `AppError` for what the one table of codes knows. */
export type Run = (call: Call, io: Io) => Promise<number>;

interface CallParts {
  /** Name of the command. */
  readonly name: string;
  readonly args: ReadonlyMap<string, string>;
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly raw: readonly string[];
  readonly words: readonly string[];
}

/** Asking for an argument or a flag that the command's entry does not have is a defect. */
export class Call {
  readonly name: string;
  /** The unread words of a command that passes them to another program. */
  readonly raw: readonly string[];
  /** Everything behind `signalbox`, as it was typed. */
  readonly words: readonly string[];
  readonly #args: ReadonlyMap<string, string>;
  readonly #flags: ReadonlyMap<string, readonly string[]>;

  constructor(parts: CallParts) {
    this.name = parts.name;
    this.raw = parts.raw;
    this.words = parts.words;
    this.#args = parts.args;
    this.#flags = parts.flags;
  }

  /** A required argument; the parser has checked that it exists. */
  arg(name: string): string {
    const value = this.#args.get(name);
    invariant(value !== undefined, `${this.name} has no argument ${name}`);
    return value;
  }

  argOr(name: string, other: null): string | null {
    return this.#args.get(name) ?? other;
  }

  on(flag: string): boolean {
    return this.#flags.has(flag);
  }

  text(flag: string): string | null {
    return this.#flags.get(flag)?.at(-1) ?? null;
  }

  all(flag: string): readonly string[] {
    return this.#flags.get(flag) ?? [];
  }

  /** The parser has checked that it is a whole number. */
  integer(flag: string): number | null {
    const value = this.text(flag);
    return value === null ? null : Number(value);
  }

  choice<T extends string>(flag: string, choices: readonly T[]): T | null {
    return choices.find((choice) => choice === this.text(flag)) ?? null;
  }
}
