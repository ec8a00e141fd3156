/** The contract between gateways and the server, so that neither imports the other. */

export interface HookRequest {
  /** Names in lower case; a header that came more than once is joined by `, `. */
  readonly headers: Readonly<{ [name: string]: string | undefined }>;
  /** The bytes as received: signatures cover these. */
  readonly rawBody: Uint8Array;
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
  handle(request: HookRequest): Promise<HookResponse>;
}
