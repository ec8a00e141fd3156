/** What a handler gets, and what it gives back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyOf, Ok, Operation, ParamsOf, QueryOf, ResponseOf } from '../protocol/index.ts';
import { fullParts } from '../protocol/index.ts';
import type { AgentTurn, CommandAnswer, Refused, Signalbox } from '../runtime/api.ts';
import type { StoreHealth } from '../store/port.ts';
import type { Streams } from './events/streams.ts';
import type { HangSource, Outgoing } from './options.ts';
import { ProblemError } from './respond.ts';
import type { Caller, Tokens } from './tokens.ts';

export interface Services {
  readonly signalbox: Signalbox;
  readonly streams: Streams;
  /** How the store is, where it is on a server. Throws the reason why it is not ready. */
  readonly checkReady: () => StoreHealth | null;
  readonly openapi: () => string;
  readonly metrics: () => Promise<string>;
  readonly hangs: HangSource | null;
  readonly tokens: Tokens;
  readonly outgoing: Outgoing;
  /** Wall clock, ms. */
  readonly now: () => number;
}

export interface Call<O extends Operation> {
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  /** In which the agent calls that is the caller; null: it is none. */
  readonly turn: AgentTurn | null;
}

/** `taken`: the handler has begun to answer by itself. */
export type Answer<T> =
  | { readonly status: number; readonly body: T; readonly headers?: Readonly<{ [name: string]: string }> }
  | { readonly text: string; readonly type: string }
  | { readonly empty: 204 }
  | 'taken';

/** A call whose parts have been checked, but whose schemas are not known to the compiler. */
type AnyCall = Pick<Call<Operation>, 'request' | 'response' | 'caller' | 'turn'> & {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
};

/** Taken from a method, whose parameters may be narrowed: so a table of handlers can be called after a check of the schemas. */
type Handler<C, T> = { handle(call: C, services: Services): Promise<Answer<T>> | Answer<T> }['handle'];
export type AnyHandler = Handler<AnyCall, unknown>;

export type Handlers<O extends Operation = Operation> = {
  readonly [K in O]: Handler<Call<K>, ResponseOf<K>>;
};

const absentThings = {
  unknown_task: 'task',
  unknown_session: 'session',
  unknown_provider: 'provider',
  unknown_node: 'node',
  unknown_hang: 'hang report',
  unknown_token: 'token',
  unknown_reply: 'message',
} as const;

const isAbsence = (code: string): code is keyof typeof absentThings => Object.hasOwn(absentThings, code);

/** The error for a thing that does not exist, with the name that the caller gave: the same text on every route. */
export const absent = (code: keyof typeof absentThings, name: string): ProblemError =>
  new ProblemError(code, { detail: `There is no ${absentThings[code]} ${JSON.stringify(name)}.` });

/** Throws the problem document of the refusal's code. `name`: the task, session or provider of the path. */
export function refuse({ code, full }: Refused, name: string): never {
  throw isAbsence(code) ? absent(code, name) : new ProblemError(code, full === undefined ? {} : fullParts(full));
}

/** The answer to a command that gives nothing but its success. */
export function okOrRefuse(answer: CommandAnswer, name: string): Answer<Ok> {
  return answer.kind === 'refused' ? refuse(answer, name) : { status: 200, body: { ok: true } };
}
