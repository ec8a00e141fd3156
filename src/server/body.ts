/** Reads request bodies within bounds. */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../core/errors.ts';

/** Deeper JSON than this means nothing here, and serialising it again would need as deep a stack. */
const depthMax = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes past a limit that are still read and thrown away, so that a sender gets the answer instead of a reset. */
const discardMax = 67_108_864;

/**
 * The whole body, at most `limit` bytes. Rejects with `body_too_large` at the first byte too many, by the declared length
 * before any byte is read; with `aborted` when the peer goes away in the middle.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      reject(tooLarge(limit));
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        reject(tooLarge(limit));
        if (size > limit + discardMax) {
          request.destroy();
        }
      }
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    const gone = () => {
      // Every request closes, after its end as well; an error with its stack is not made for nothing.
      if (!request.readableEnded) {
        reject(new AppError({ code: 'aborted', message: 'the peer went away during the body' }));
      }
    };
    request.on('error', gone);
    request.on('close', gone);
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
