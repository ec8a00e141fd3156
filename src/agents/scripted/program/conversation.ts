/** What the scripted agent remembers of a conversation. With a state folder it outlives the process. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RememberedTurn {
  readonly turn: number;
  readonly prompt: string;
  /** What was said in answer so far. */
  said: string;
  /** `open` while it runs; it stays so where the process died in it. */
  outcome: 'open' | 'completed' | 'interrupted' | 'failed';
  readonly steered: string[];
}

/** A job of `[[work]]`, which can be resumed where it was interrupted. */
export interface RememberedJob {
  readonly key: string;
  readonly steps: number;
  readonly stepMs: number;
  done: number;
}

interface Kept {
  readonly id: string;
  turns: RememberedTurn[];
  work: RememberedJob[];
}

export class Conversation {
  readonly #directory: string | null;
  readonly #kept: Kept;
  /** The requested one is unknown: this one is fresh. */
  readonly isReset: boolean;

  private constructor(directory: string | null, kept: Kept, isReset: boolean) {
    this.#directory = directory;
    this.#kept = kept;
    this.isReset = isReset;
  }

  static open(directory: string | null, wanted: string | null): Conversation {
    if (directory !== null) {
      makeIn(directory);
    }
    const kept = wanted === null || directory === null ? null : read(directory, wanted);
    if (kept !== null) {
      return new Conversation(directory, kept, false);
    }
    const fresh = new Conversation(directory, { id: crypto.randomUUID(), turns: [], work: [] }, wanted !== null);
    fresh.save();
    return fresh;
  }

  get id(): string {
    return this.#kept.id;
  }

  get turns(): readonly RememberedTurn[] {
    return this.#kept.turns;
  }

  begin(turn: number, prompt: string): RememberedTurn {
    const remembered: RememberedTurn = { turn, prompt, said: '', outcome: 'open', steered: [] };
    this.#kept.turns.push(remembered);
    this.save();
    return remembered;
  }

  /** Takes a turn, and all turns after it, out of the conversation; those after it also where it is gone already. */
  rewind(turn: number): void {
    this.#kept.turns = this.#kept.turns.filter((one) => one.turn < turn);
    this.save();
  }

  /** The unfinished job of that key; without a key, the newest one. */
  unfinished(key: string | null): RememberedJob | null {
    return this.#kept.work.findLast((work) => work.done < work.steps && (key === null || work.key === key)) ?? null;
  }

  beginJob(key: string, steps: number, stepMs: number): RememberedJob {
    const work: RememberedJob = { key, steps, stepMs, done: 0 };
    this.#kept.work = [...this.#kept.work.filter((one) => one.key !== key), work];
    return work;
  }

  /** Replaced by rename: a kill in the middle leaves the old file or the new one. */
  save(): void {
    if (this.#directory === null) {
      return;
    }
    const path = fileOf(this.#directory, this.#kept.id);
    writeFileSync(`${path}.new`, JSON.stringify(this.#kept));
    renameSync(`${path}.new`, path);
  }
}

const fileOf = (directory: string, id: string): string => join(directory, `${id}.json`);

function read(directory: string, id: string): Kept | null {
  if (!/^[\w-]{1,100}$/.test(id)) {
    return null;
  }
  try {
    return JSON.parse(readFileSync(fileOf(directory, id), 'utf8')) as Kept;
  } catch {
    return null;
  }
}

/** In a folder that is there: one that was moved away is not made again. */
function makeIn(directory: string): void {
  if (!existsSync(directory)) {
    mkdirSync(directory, { mode: 0o700 });
  }
}
