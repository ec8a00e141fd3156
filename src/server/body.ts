/** Reads request bodies within bounds. */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../core/errors.ts';
import type { BodyBudget, BodyShare } from './body-budget.ts';
import { free } from './free.ts';
import { ProblemError } from './respond.ts';

/** Deeper JSON than this means nothing here, and serialising it again would need as deep a stack. */
const depthMax = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes past its limit of a body that are still read and thrown away, so that a sender gets the answer instead of a reset. */
const discardMax = 67_108_864;
/** The same of a body that is refused for another reason than its length. Few, since what was read fills the memory until it is collected. */
const discardRefusedMax = 262_144;
/** How long a peer may take to read its answer after no more of its body is read. */
const lingerMs = 1_000;

/** How much of a body may be in memory. */
export interface BodyLimits {
  /** Bytes of this body. */
  readonly bytes: number;
  /** Shared with the other bodies of callers of its class. */
  readonly budget: BodyBudget;
}

/** Sees the pieces of a body as they arrive, and keeps none. */
interface BodyCheck<T> {
  update(piece: Uint8Array): void;
  /** After the last piece. An answer: what it is refused with. */
  end(): T | null;
}

const unchecked: BodyCheck<never> = { update: () => {}, end: () => null };

/**
 * Gives the whole body, at most `limits.bytes`, to `use`, which must not keep it, and counts it in the budget until that has
 * settled. A body that `check` refuses is never whole in memory, and its answer is the result. Rejects with
 * `body_too_large` at the first byte too many, by the declared length before any byte is read; with `too_many_bodies` when
 * the budget needs its bytes, or has no room for them in time; with `aborted` when the peer goes away in the middle.
 */
export async function withBody<T>(
  request: IncomingMessage,
  limits: BodyLimits,
  use: (body: Buffer) => T | Promise<T>,
  check: BodyCheck<T> = unchecked,
): Promise<T> {
  const declared = Number(request.headers['content-length'] ?? limits.bytes);
  if (declared > limits.bytes) {
    discard(request, limits.bytes + discardMax);
    throw tooLarge(limits.bytes);
  }
  const pieces: Buffer[] = [];
  let share: BodyShare | null = null;
  try {
    const refused = await new Promise<T | null>((resolve, reject) => {
      const refuse = (error: AppError, discarded: number): void => {
        freeAll(pieces);
        reject(error);
        discard(request, discarded);
      };
      let size = 0;
      const onPiece = (piece: Buffer): void => {
        size += piece.length;
        if (size > limits.bytes) {
          refuse(tooLarge(limits.bytes), discardMax);
          return;
        }
        check.update(piece);
        pieces.push(piece);
        share?.take(piece.length);
      };
      request.on('end', () => resolve(check.end()));
      const gone = () => {
        // Every request closes, after its end as well; an error with its stack is not made for nothing.
        if (!request.readableEnded) {
          reject(new AppError({ code: 'aborted', message: 'the peer went away during the body' }));
        }
      };
      request.on('error', gone);
      request.on('close', gone);
      share = limits.budget.share(declared, {
        read: () => request.on('data', onPiece),
        cut: () => refuse(new ProblemError('too_many_bodies'), discardRefusedMax),
      });
    });
    return refused ?? (await use(joined(pieces)));
  } finally {
    freeAll(pieces);
    (share as BodyShare | null)?.release();
  }
}

/** Leaves the whole as the only piece. */
function joined(pieces: Buffer[]): Buffer {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) {
    return only;
  }
  const whole = Buffer.concat(pieces);
  freeAll(pieces);
  pieces.push(whole);
  return whole;
}

function freeAll(pieces: Buffer[]): void {
  for (const piece of pieces.splice(0)) {
    free(piece);
  }
}

/** Reads so many bytes more of a refused body and keeps none. If that was not all, the peer is cut off when it had time to read its answer. */
export function discard(request: IncomingMessage, bytes = discardRefusedMax): void {
  request.removeAllListeners('data');
  let size = 0;
  request.on('data', (piece: Buffer) => {
    size += piece.length;
    free(piece);
    if (size > bytes) {
      request.pause();
      request.socket.setTimeout(lingerMs);
    }
  });
}

function tooLarge(limit: number): AppError {
  return new AppError({ code: 'body_too_large', message: `The body may have at most ${limit} bytes.` });
}

/** Null when there is no body. Throws `unsupported_media_type` or `bad_json`. */
export function parseJsonBody(request: IncomingMessage, body: Buffer): unknown {
  if (body.length === 0) {
    return undefined;
  }
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json *(?:; *charset="?utf-8"?)? *$/i.test(type)) {
    throw new AppError({
      code: 'unsupported_media_type',
      message: type === '' ? 'The body has no Content-Type.' : `The body is ${type.slice(0, 100)}.`,
    });
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new AppError({
      code: 'unsupported_media_type',
      message: `The body is encoded (${encoding.slice(0, 50)}); send it plain.`,
    });
  }
  try {
    const text = utf8.decode(body);
    const value: unknown = JSON.parse(text);
    if (text.length > depthMax && tooDeep(text)) {
      throw new SyntaxError(`nested more than ${depthMax} levels deep`);
    }
    return value;
  } catch (error) {
    throw new AppError({
      code: 'bad_json',
      message: `The body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'unreadable'}.`,
      cause: error,
    });
  }
}

/** Of text that is known to be JSON. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x22) {
      at = endOfString(text, at);
    } else if (char === 0x5b || char === 0x7b) {
      if (++depth > depthMax) {
        return true;
      }
    } else if (char === 0x5d || char === 0x7d) {
      depth--;
    }
  }
  return false;
}

/** Index of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) {
      slashes++;
    }
    if (at < 0 || slashes % 2 === 0) {
      return at < 0 ? text.length : at;
    }
    at = text.indexOf('"', at + 1);
  }
}
