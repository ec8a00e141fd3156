/** What a server is made from. Time, randomness and the log come in from outside. */
import type { AppError } from '../core/errors.ts';
import type { HangReport, HangSummary, HookHandler } from '../protocol/index.ts';
import { defaultsOf, serverLimits } from '../protocol/limits.ts';
import type { Signalbox } from '../runtime/api.ts';
import type { Clock } from '../runtime/clock.ts';
import type { StoreHealth } from '../store/port.ts';

/** The part of pino that is used here. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Where hang reports come from. */
export interface HangSource {
  /** Newest first. */
  list(): readonly HangSummary[];
  /** Null: there is none of that id. */
  get(id: string): HangReport | null;
  /** Takes one now; null: there is no watchdog to take it. */
  readonly take: (() => Promise<HangSummary>) | null;
}

/** The configured limits, and some that only tests change. */
export interface ServerLimits extends Readonly<{ [K in keyof typeof serverLimits]: number }> {
  /** Bytes of all headers of a request, the request line included. Default 16 KiB. */
  readonly maxHeaderBytes: number;
  /** A request must have arrived in this time. Default 30 s. */
  readonly requestTimeoutMs: number;
  /** Bytes that may wait in the memory of one stream; past it the reader is served from the store, page by page. Default 32 KiB. */
  readonly streamBufferBytes: number;
  /** A stream that has something for its reader, of which the connection takes nothing in this time, is cut. Default 30 s. */
  readonly slowReaderMs: number;
  /** Comments that keep idle streams alive through proxies. Default 15 s. */
  readonly heartbeatMs: number;
}

export const defaultServerLimits: ServerLimits = {
  ...defaultsOf(serverLimits),
  maxHeaderBytes: 16_384,
  requestTimeoutMs: 30_000,
  streamBufferBytes: 32_768,
  slowReaderMs: 30_000,
  heartbeatMs: 15_000,
};

/** How the store is now. */
export interface Storage {
  /** Why nothing can be stored; while there is a reason, `/readyz` answers with it. */
  readonly problem: AppError | null;
  /** Null where there is no server to look at. */
  readonly health: StoreHealth | null;
}

/** What sends messages, where there is a door. */
export interface Outgoing {
  /** There may be something to send. */
  wake(): void;
}

export interface ServerOptions {
  readonly signalbox: Signalbox;
  /** Accepted bearer tokens. None: everybody who reaches the address may call, so only loopback addresses are listened on. */
  readonly tokens: readonly string[];
  readonly listen: {
    readonly host: string;
    /** 0: any free port. */
    readonly port: number;
    /** Further names that the Host header may carry on a loopback address. */
    readonly hosts?: readonly string[];
  };
  readonly limits?: Partial<ServerLimits>;
  /** Doors that authenticate their senders themselves. */
  readonly hooks?: readonly HookHandler[];
  /** Hang reports. Left out: there are none. */
  readonly hangs?: HangSource;
  /** Left out: nothing is sent by this daemon. */
  readonly outgoing?: Outgoing;
  /** Left out: everything can be stored, always. */
  readonly storage?: Storage;
  /** Shown in /openapi.json. */
  readonly version?: string;
  readonly logger?: Logger;
  /** Lines of the log that were dropped since the start, for `/metrics`. */
  readonly logDropped?: () => number;
  readonly clock?: Clock;
  /** Makes ids of requests, unique in the log. Default: a random prefix and a number. */
  readonly requestIds?: () => string;
}
