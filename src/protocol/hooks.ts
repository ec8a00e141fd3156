/** The contract between gateways and the server, so that neither imports the other. */

/** A delivery whose body has not been read. */
export interface HookHead {
  /** Names in lower case; a header that came more than once is joined by `, `. */
  readonly headers: Readonly<{ [name: string]: string | undefined }>;
  /** Address of the peer. */
  readonly remote: string;
  /** Appears in the log and in problem documents. */
  readonly requestId: string;
}

export interface HookResponse {
  readonly status: number;
  /** Written as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<{ [name: string]: string }>;
}

/**
 * A POST route that authenticates its sender itself, by signature; the server does not require its bearer token.
 * An `AppError` it throws becomes the problem document of its code; anything else a 500.
 */
export interface HookHandler {
  readonly path: `/hooks/${string}`;
  readonly method: 'POST';
  /** Bytes; a longer body is refused with 413 before `handle` is called. */
  readonly bodyLimit: number;
  /** What a person who starts the daemon should know of it, in a few words. */
  readonly note?: string;
  /** Refuses a delivery that no body could make a valid one, before a byte of its body is read. Null: the body decides. */
  refuse(head: HookHead): HookResponse | null;
  /** For a head that was not refused. */
  receive(head: HookHead): HookDelivery;
}

/** A delivery whose body arrives. It keeps no byte, so that one that nobody signed costs no memory of its own. */
export interface HookDelivery {
  /** The next bytes as received: signatures cover these. */
  update(bytes: Uint8Array): void;
  /** After the last ones. Null: its sender signed it. */
  end(): HookResponse | null;
  /** For the whole body of a delivery that its sender signed. */
  handle(body: Uint8Array): Promise<HookResponse>;
}
