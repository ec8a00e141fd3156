/** A script file: which directives answer which prompts. */
import { readFileSync } from 'node:fs';

interface ScriptTurn {
  /** A part of the prompt; absent: any prompt. */
  readonly match?: string;
  readonly do: string;
  /** Used for one turn only. */
  readonly once?: boolean;
}

/** How the agent starts in the sessions whose key contains `match`. */
interface ScriptStart {
  readonly match: string;
  /** `die`: exits with code 1; `never`: writes nothing; `garbage`: writes what is not a message, then nothing. */
  readonly do: 'die' | 'never' | 'garbage';
}

export class Script {
  #starts: readonly ScriptStart[] = [];
  #turns: readonly ScriptTurn[] = [];
  #default: string | null = null;

  /** Throws when the file cannot be read or is not a script: an agent with a wrong script must not start. */
  constructor(path: string | null) {
    if (path === null) {
      return;
    }
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof file !== 'object' || file === null) {
      throw new Error(`${path}: a script is a JSON object`);
    }
    const { turns = [], starts = [], default: otherwise } = file as { readonly [key: string]: unknown };
    if (!Array.isArray(starts) || !starts.every(isStart)) {
      throw new Error(`${path}: every start needs "match" and "do": die, never or garbage`);
    }
    this.#starts = starts;
    if (!Array.isArray(turns) || !turns.every(isTurn)) {
      throw new Error(`${path}: every turn needs "do", and "match" is a text`);
    }
    this.#turns = turns;
    this.#default = typeof otherwise === 'string' ? otherwise : null;
  }

  startOf(session: string): ScriptStart['do'] | null {
    return this.#starts.find(({ match }) => session.includes(match))?.do ?? null;
  }

  /** What to do for this prompt: the first turn of the script that matches, else the prompt's own directives. */
  textFor(prompt: string): string {
    const turn = this.#turns.find((one) => one.match === undefined || prompt.includes(one.match));
    if (turn?.once === true) {
      this.#turns = this.#turns.filter((one) => one !== turn);
    }
    if (turn !== undefined) {
      return turn.do;
    }
    return prompt.includes('[[') ? prompt : (this.#default ?? prompt);
  }
}

function isTurn(value: unknown): value is ScriptTurn {
  if (typeof value !== 'object' || value === null || !('do' in value)) {
    return false;
  }
  return typeof value.do === 'string' && (!('match' in value) || typeof value.match === 'string');
}

function isStart(value: unknown): value is ScriptStart {
  if (typeof value !== 'object' || value === null || !('do' in value) || !('match' in value)) {
    return false;
  }
  return typeof value.match === 'string' && (value.do === 'die' || value.do === 'never' || value.do === 'garbage');
}
