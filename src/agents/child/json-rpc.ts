/**
 * A peer of JSON-RPC 2.0 over one channel of JSON messages: calls out, calls in, notifications both ways.
 *
 * Owns: the table of our calls that wait for their response, each of which is in the list of pending waits, and the list of
 * the other side's calls that wait for ours.
 * Owned by: a driver's handle, which gives it every message of its channel in order, and the channel's end.
 * Callbacks and no promises: what is read first is handled first, also where a response follows a notification in one read.
 * Invariants:
 *  json-rpc/1 A message is written within the call that makes it.
 *  json-rpc/2 Each call settles at most once: by its response, or by `broken`; then in the order of the calls. What is
 *             called afterwards is neither written nor settled.
 *  json-rpc/3 Each call of the other side is answered at most once, and one without a handler by -32601. More than
 *             `openMax` of them at a time are refused.
 *  json-rpc/4 Nothing that is read throws: a line that is not a message, and a response to an unknown request, go to `raw`.
 */
import { ChannelBroken, PendingTable } from '../../supervise/index.ts';
import { type Fields, isFields } from './fields.ts';

/** Codes of the JSON-RPC 2.0 specification, section 5.1. */
export const rpcCodes = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcOutcome =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: RpcError }
  /** The channel ended first. */
  | { readonly kind: 'broken' };

export type RpcId = string | number | null;

/** A call of the other side. The first of `result` and `error` is its answer; later ones do nothing and return false. */
export interface RpcCall {
  readonly id: RpcId;
  readonly method: string;
  readonly params: unknown;
  result(value: unknown): boolean;
  error(error: RpcError): boolean;
}

/** What the peer needs of its channel; `JsonLines` is one. */
interface RpcChannel {
  /** Who is at the other end, for reports. */
  readonly label?: string;
  write(message: object): boolean;
  raw(problem: string, text: string): void;
}

export interface RpcOptions {
  /** Whether written messages have `"jsonrpc":"2.0"`. Read messages need not have it. */
  readonly versioned: boolean;
  readonly onNotification: (method: string, params: unknown, line: string) => void;
  /** Answers by the call's own methods, now or later; false: no such method. */
  readonly onCall: (call: RpcCall, line: string) => boolean;
  /** Calls of the other side that wait for our answer at a time. Default 256. */
  readonly openMax?: number;
}

export class JsonRpc {
  readonly #channel: RpcChannel;
  readonly #options: RpcOptions;
  readonly #waiting: PendingTable<RpcOutcome>;
  #open = 0;
  #lastId = 0;
  #over = false;

  constructor(channel: RpcChannel, options: RpcOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#waiting = new PendingTable({ owner: channel.label ?? 'an agent', maxPending: Number.POSITIVE_INFINITY });
  }

  /** Our calls without a response, oldest first: for reports. */
  get waiting(): readonly { readonly id: number; readonly method: string }[] {
    return this.#waiting.waiting.map(({ id, name }) => ({ id: Number(id), method: name }));
  }

  /**
   * `settle` is never called from within. Where the channel refuses the message, it waits for `broken` with the others, and
   * the answer is false.
   */
  call(method: string, params: object, settle: (outcome: RpcOutcome) => void): boolean {
    if (this.#over) {
      return false;
    }
    this.#lastId += 1;
    const id = this.#lastId;
    // The caller has its own deadline: of the start, of the drain, of the turn.
    this.#waiting.add(String(id), method, null, (settled) => settle(settled.ok ? settled.value : { kind: 'broken' }));
    return this.#write({ id, method, params });
  }

  notify(method: string, params?: object): boolean {
    return !this.#over && this.#write({ method, ...(params === undefined ? {} : { params }) });
  }

  /** Each message of the channel; `line` is its text. */
  take(message: Fields, line: string): void {
    if (this.#over) {
      return;
    }
    const { id, method, params } = message;
    if (typeof method === 'string') {
      if (!('id' in message)) {
        this.#options.onNotification(method, params, line);
      } else if (isId(id)) {
        this.#called(id, method, params, line);
      } else {
        this.#channel.raw('a request whose id is neither string nor number', line);
      }
    } else if ('id' in message) {
      this.#answered(message, line);
    } else {
      this.#channel.raw('neither a request nor a response', line);
    }
  }

  /** The channel has ended: every wait is rejected, once. */
  broken(): void {
    this.#over = true;
    this.#waiting.breakAll(new ChannelBroken(this.#channel.label ?? 'an agent', 'ended', 'over'));
  }

  #answered(message: Fields, line: string): void {
    const { id } = message;
    const hasError = message['error'] !== undefined && message['error'] !== null;
    const outcome: RpcOutcome =
      hasError || !('result' in message)
        ? { kind: 'error', error: readError(message['error']) }
        : { kind: 'result', result: message['result'] };
    if (typeof id !== 'number' || !this.#waiting.settle(String(id), outcome)) {
      this.#channel.raw('a response to an unknown request', line);
    }
  }

  #called(id: RpcId, method: string, params: unknown, line: string): void {
    if (this.#open >= (this.#options.openMax ?? 256)) {
      this.#write({ id, error: { code: rpcCodes.internal, message: 'too many requests are waiting' } });
      return;
    }
    this.#open += 1;
    let answered = false;
    const answer = (body: object): boolean => {
      if (answered) {
        return false;
      }
      answered = true;
      this.#open -= 1;
      if (!this.#over) {
        this.#write({ id, ...body });
      }
      return true;
    };
    const call: RpcCall = {
      id,
      method,
      params,
      // A result must stand in a response, whatever it is.
      result: (value) => answer({ result: value ?? null }),
      error: (error) => answer({ error }),
    };
    if (this.#options.onCall(call, line)) {
      return;
    }
    call.error({ code: rpcCodes.methodNotFound, message: `no such method: ${method.slice(0, 200)}` });
  }

  /** A channel that refuses is broken: its end is on its way, and `broken` with it. */
  #write(message: object): boolean {
    return this.#channel.write(this.#options.versioned ? { jsonrpc: '2.0', ...message } : message);
  }
}

const isId = (value: unknown): value is RpcId =>
  value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));

function readError(value: unknown): RpcError {
  if (!isFields(value)) {
    return { code: rpcCodes.internal, message: 'a response with neither result nor error' };
  }
  const { code, message, data } = value;
  return {
    code: typeof code === 'number' ? code : rpcCodes.internal,
    message: typeof message === 'string' ? message : '',
    ...(data === undefined ? {} : { data }),
  };
}
