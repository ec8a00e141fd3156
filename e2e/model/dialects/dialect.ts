/** What a dialect of model API is: how its requests are read, and how an answer, a call and an error are written in it. */
import type { Asked, DialectName, Fields } from '../conversation.ts';

/** Why an answer ends. */
export type Stop = 'end' | 'tool' | 'refusal';

export interface Call {
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

/** Writes one streamed answer; each method writes at once. */
interface AnswerWriter {
  begin(): void;
  /** Before any text or call. */
  thinking(piece: string): void;
  text(piece: string): void;
  call(call: Call): void;
  /** `said`: all pieces together. */
  end(said: string, stop: Stop): void;
  /** An error in the middle of the stream. */
  fail(type: string): void;
}

export interface WriterOptions {
  readonly asked: Asked;
  readonly write: (text: string) => void;
  /** Makes an id with that prefix. */
  readonly id: (prefix: string) => string;
}

export interface Dialect {
  readonly name: DialectName;
  /** Whether a POST to that path is a request of this dialect. */
  matches(path: string): boolean;
  read(path: string, body: Fields): Asked;
  writer(options: WriterOptions): AnswerWriter;
  /** The answer in one piece, without what was thought; `call` null: text alone. */
  whole(options: Omit<WriterOptions, 'write'>, said: string, call: Call | null, stop: Stop): unknown;
  /** Body of an HTTP error. */
  error(status: number, type: string, message: string, id: (prefix: string) => string): unknown;
}

/** What each answer is said to have cost. */
export const usedTokens = { input: 100, output: 20, total: 120 } as const;

export const fakeMessage = (type: string): string => `fake ${type}`;

export const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
export const namedFrame = (type: string, data: Fields): string => `event: ${type}\n${frame({ type, ...data })}`;
