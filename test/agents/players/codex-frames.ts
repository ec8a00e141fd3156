/** Frames of the real Codex, out of its transcripts, to be said again about other conversations and turns. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
// Types only: players start often.
import type { Frame, Line } from '../record/recorder.ts';

export type Fields = { readonly [name: string]: unknown };

export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** One transcript, as a store of frames. */
export class Recorded {
  readonly frames: readonly Frame[];
  readonly #thread: string;
  readonly #turn: string;

  constructor(name: string) {
    const file = fileURLToPath(new URL(`../fixtures/codex/${name}.ndjson`, import.meta.url));
    const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const said = lines.map((line) => JSON.parse(line) as Line);
    this.frames = said.flatMap((line) => (line.dir === 'out' && 'frame' in line ? [line.frame] : []));
    this.#thread = textOf(fieldsOf(fieldsOf(this.result('thread'))['thread'])['id']);
    this.#turn = textOf(fieldsOf(fieldsOf(this.result('turn'))['turn'])['id']);
  }

  /** The result that holds such a member. */
  result(member: string): unknown {
    return this.frames.map((frame) => frame['result']).find((result) => member in fieldsOf(result));
  }

  /** The first frame of that method that fits, about another conversation and turn, with some params replaced. */
  say(method: string, about: Named, fits: (params: Fields) => boolean = () => true, put: object = {}): Frame {
    const frame = this.frames.find((one) => one['method'] === method && fits(fieldsOf(one['params'])));
    if (frame === undefined) {
      throw new Error(`${method} was not recorded`);
    }
    const again = fieldsOf(this.about(frame, about));
    return { ...again, params: { ...fieldsOf(again['params']), ...put } };
  }

  about(value: unknown, { thread, turn }: Named): unknown {
    const text = JSON.stringify(value).replaceAll(this.#thread, thread);
    return JSON.parse(this.#turn === '' ? text : text.replaceAll(this.#turn, turn));
  }
}

export interface Named {
  readonly thread: string;
  readonly turn: string;
}

export const garbage: readonly (string | Uint8Array)[] = [
  Uint8Array.from([0x00, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]),
  'this is no JSON\n[1,2,3]\nnull\n"text"\n{}\n{"method":7}\n{"id":{},"method":"x"}\n',
  '{"id":999,"result":{}}\n{"id":"x","error":{}}\n{"method":"un/heard/of","params":{}}\n',
  '{"method":"turn/completed"}\n{"method":"turn/started","params":{"turn":{}}}\n{"method":"item/completed","params":null}\n',
  '{"method":"error","params":{"willRetry":true}}\n{"method":"thread/tokenUsage/updated","params":[]}\n\n\r\n',
];
