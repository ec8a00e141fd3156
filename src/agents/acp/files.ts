/**
 * `fs/read_text_file` and `fs/write_text_file` for one agent, within the folder of its session.
 *
 * Owns: a queue, so that one file at a time is open for one agent.
 * Invariants:
 *  acp-files/1 Nothing outside of the folder is opened, whatever the path says or becomes (`confine-path.ts`), and only
 *              plain files. A file with a second name (a hard link) is not read, since that may be anywhere; the policy
 *              decides on a write to one as on a write outside.
 *  acp-files/2 An answer and a written file have at most `maxBytes`. A longer file is read in parts.
 *  acp-files/3 Every request is answered. An error names its code and the path, and never the content of a file.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { numberAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import { OutsideError, openInside } from './confine-path.ts';
import { acpCodes } from './wire.ts';

export type FileAnswer = { readonly result: object } | { readonly error: RpcError };

const chunkBytes = 64 * 1024;

export class Files {
  readonly #root: string;
  readonly #maxBytes: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string, maxBytes: number) {
    this.#root = root;
    this.#maxBytes = maxBytes;
  }

  read(params: Fields): Promise<FileAnswer> {
    return this.#queued(params, async (path) => ({ result: { content: await this.#readText(path, params) } }));
  }

  write(params: Fields): Promise<FileAnswer> {
    return this.#queued(params, async (path) => {
      const content = textAt(params, 'content');
      if (content === null) {
        throw new Refused(rpcCodes.invalidParams, 'content is missing');
      }
      const bytes = Buffer.from(content, 'utf8');
      if (bytes.length > this.#maxBytes) {
        throw new Refused(rpcCodes.invalidParams, this.#tooLong(path, bytes.length));
      }
      await this.#writeBytes(path, bytes);
      return { result: {} };
    });
  }

  #queued(params: Fields, work: (path: string) => Promise<FileAnswer>): Promise<FileAnswer> {
    const path = textAt(params, 'path');
    if (path === null) {
      return Promise.resolve({ error: { code: rpcCodes.invalidParams, message: 'path is missing' } });
    }
    const mine = this.#last.then(() => work(path)).catch((error: unknown) => ({ error: explain(error, path) }));
    this.#last = mine;
    return mine;
  }

  async #readText(path: string, params: Fields): Promise<string> {
    const line = wholeNumber(params, 'line') ?? 1;
    const limit = wholeNumber(params, 'limit');
    await using file = await openInside(this.#root, path, constants.O_RDONLY);
    const { size, nlink } = await plainFile(file, path);
    if (nlink > 1) {
      throw new Refused(rpcCodes.invalidParams, `${path}: it has another name (a hard link), which may be outside`);
    }
    if (limit === null && line <= 1 && size > this.#maxBytes) {
      throw new Refused(rpcCodes.invalidParams, this.#tooLong(path, size));
    }
    return await this.#lines(file, path, Math.max(1, line), limit ?? Infinity);
  }

  /** Lines `from` (the first is 1) to `from + count - 1`, with their line ends. */
  async #lines(file: FileHandle, path: string, from: number, count: number): Promise<string> {
    const decoder = new StringDecoder('utf8');
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let text = '';
    let line = 1;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes);
      const piece = bytesRead === 0 ? decoder.end() : decoder.write(buffer.subarray(0, bytesRead));
      let at = 0;
      while (at < piece.length && line < from + count) {
        const end = piece.indexOf('\n', at);
        const next = end === -1 ? piece.length : end + 1;
        if (line >= from) {
          text += piece.slice(at, next);
        }
        if (end !== -1) {
          line += 1;
        }
        at = next;
      }
      if (Buffer.byteLength(text) > this.#maxBytes) {
        throw new Refused(rpcCodes.invalidParams, this.#tooLong(path, null));
      }
      if (bytesRead === 0 || line >= from + count) {
        return text;
      }
    }
  }

  async #writeBytes(path: string, bytes: Buffer): Promise<void> {
    const { O_WRONLY, O_CREAT } = constants;
    await using file = await openInside(this.#root, path, O_WRONLY | O_CREAT);
    await plainFile(file, path);
    // Truncated only once it is known to be the right file.
    await file.truncate(0);
    await file.writeFile(bytes);
  }

  #tooLong(path: string, bytes: number | null): string {
    const size = bytes === null ? 'too long' : `${bytes} bytes`;
    return `${path}: ${size}; at most ${this.#maxBytes} bytes at a time: read longer files by line and limit`;
  }
}

class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

async function plainFile(file: FileHandle, path: string): Promise<{ readonly size: number; readonly nlink: number }> {
  const info = await file.stat();
  if (!info.isFile()) {
    throw new Refused(rpcCodes.invalidParams, `${path}: not a plain file`);
  }
  return info;
}

function wholeNumber(params: Fields, name: string): number | null {
  const value = numberAt(params, name);
  return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
}

function explain(error: unknown, path: string): RpcError {
  if (error instanceof Refused) {
    return { code: error.code, message: error.message };
  }
  if (error instanceof OutsideError) {
    return { code: rpcCodes.invalidParams, message: error.message };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  // Agents recognise a missing file by these words.
  if (code === 'ENOENT') {
    return { code: acpCodes.notFound, message: `Resource not found: ENOENT: ${path}`, data: { uri: path } };
  }
  return { code: rpcCodes.internal, message: `${code}: ${path}` };
}
