/** A script file: which prompts are answered by which directives. */
import { readFileSync } from 'node:fs';

interface ScriptTurn {
  /** A part of the prompt; absent: any prompt. */
  readonly match?: string;
  readonly do: string;
  /** Used for one turn, then passed over. */
  readonly once?: boolean;
}

export class Script {
  #turns: readonly ScriptTurn[] = [];
  #default: string | null = null;

  /** Throws when the file cannot be read or is no script: an agent with a wrong script must not start. */
  constructor(path: string | null) {
    if (path === null) return;
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof file !== 'object' || file === null) throw new Error(`${path}: a script is a JSON object`);
    const { turns = [], default: otherwise } = file as { readonly turns?: unknown; readonly default?: unknown };
    if (!Array.isArray(turns) || !turns.every(isTurn))
      throw new Error(`${path}: every turn needs "do", and "match" is text`);
    this.#turns = turns;
    this.#default = typeof otherwise === 'string' ? otherwise : null;
  }

  /** What to do for this prompt: the first turn of the script that matches, else the prompt's own directives. */
  textFor(prompt: string): string {
    const turn = this.#turns.find((one) => one.match === undefined || prompt.includes(one.match));
    if (turn?.once === true) this.#turns = this.#turns.filter((one) => one !== turn);
    if (turn !== undefined) return turn.do;
    return prompt.includes('[[') ? prompt : (this.#default ?? prompt);
  }
}

function isTurn(value: unknown): value is ScriptTurn {
  if (typeof value !== 'object' || value === null || !('do' in value)) return false;
  return typeof value.do === 'string' && (!('match' in value) || typeof value.match === 'string');
}
