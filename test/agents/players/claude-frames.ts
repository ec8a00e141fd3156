/** Frames as Claude Code has said them, out of its recordings, to be said again with other names and words. */
import { fileURLToPath } from 'node:url';
import type { Frame } from '../record/recorder.ts';
import { readTranscript } from '../record/recorder.ts';

export type Dialect = 'modern' | 'old';

export const versions: { readonly [D in Dialect]: string } = { modern: '2.1.329', old: '2.1.197' };

type Named = 'init' | 'greeting' | 'requesting' | 'replay' | 'said' | 'call' | 'output' | 'asked' | 'result' | 'broken';

export const fieldsOf = (value: unknown): Frame =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Frame) : {};
export const at = (frame: Frame, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => fieldsOf(value)[name], frame);

const is =
  (type: string, subtype?: string) =>
  (frame: Frame): boolean =>
    frame['type'] === type && (subtype === undefined || frame['subtype'] === subtype);
const hasBlock = (frame: Frame, kind: string): boolean => {
  const content = at(frame, 'message', 'content');
  return Array.isArray(content) && content.some((block) => fieldsOf(block)['type'] === kind);
};

/** Which recording holds which frame. */
const places: { readonly [N in Named]: readonly [scenario: string, fits: (frame: Frame) => boolean] } = {
  greeting: ['answer', is('control_response')],
  init: ['answer', is('system', 'init')],
  requesting: ['answer', is('system', 'status')],
  replay: ['answer', (frame) => frame['isReplay'] === true],
  said: ['answer', (frame) => frame['type'] === 'assistant' && hasBlock(frame, 'text')],
  call: ['allowed', (frame) => frame['type'] === 'assistant' && hasBlock(frame, 'tool_use')],
  output: ['allowed', (frame) => frame['type'] === 'user' && hasBlock(frame, 'tool_result')],
  asked: ['allowed', is('control_request')],
  result: ['answer', is('result')],
  broken: ['interrupted', is('result', 'error_during_execution')],
};

export class Frames {
  readonly #dialect: Dialect;
  readonly #session: string;
  readonly #recordings = new Map<string, readonly Frame[]>();

  constructor(dialect: Dialect, session: string) {
    this.#dialect = dialect;
    this.#session = session;
  }

  /** Frames of the program in a recording. */
  of(scenario: string): readonly Frame[] {
    const known = this.#recordings.get(scenario);
    if (known !== undefined) {
      return known;
    }
    const { lines } = readTranscript(this.file(scenario));
    const frames = lines.flatMap((line) => (line.dir === 'out' && 'frame' in line ? [line.frame] : []));
    this.#recordings.set(scenario, frames);
    return frames;
  }

  file(scenario: string): string {
    const version = versions[this.#dialect];
    return fileURLToPath(new URL(`../fixtures/claude/${version}/${scenario}.ndjson`, import.meta.url));
  }

  /** A recorded frame with that in place of its own. */
  get(name: Named, more: Frame = {}): Frame {
    const [scenario, fits] = places[name];
    return this.again(scenario, fits, more);
  }

  again(scenario: string, fits: (frame: Frame) => boolean, more: Frame = {}): Frame {
    const found = this.of(scenario).find(fits);
    if (found === undefined) {
      throw new Error(`no such frame in ${scenario} of ${this.#dialect}`);
    }
    return { ...found, ...('session_id' in found ? { session_id: this.#session } : {}), ...more };
  }

  /** An event of the model's stream. */
  stream(type: string, delta?: Frame): Frame {
    const frame = this.again('answer', (one) => at(one, 'event', 'type') === type);
    return delta === undefined ? frame : { ...frame, event: { ...fieldsOf(frame['event']), delta } };
  }

  /** The messages that a frame is about; older versions never say. */
  names(uuids: readonly string[]): Frame {
    return this.#dialect === 'modern' ? { user_message_uuid: uuids[0], user_message_uuids: uuids } : {};
  }

  /** What is said of an API failure: its retries, the synthetic message, the result. */
  failure(scenario: string): readonly Frame[] {
    return this.of(scenario)
      .slice(0, this.of(scenario).findIndex(is('result')) + 1)
      .filter(
        (frame) =>
          is('system', 'api_retry')(frame) ||
          is('result')(frame) ||
          frame['is_api_error_message'] === true ||
          typeof frame['error'] === 'string',
      );
  }
}
