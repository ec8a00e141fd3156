/** Which pages stand in a write-ahead log (https://sqlite.org/fileformat2.html#walformat), read without SQLite. */
import { closeSync, openSync, readSync } from 'node:fs';

export interface WalPages {
  /** Pages of the database after the last commit in the log; null: there is no commit in it. */
  readonly databasePages: number | null;
  /** Numbers of the pages that were committed to the log. */
  readonly pages: ReadonlySet<number>;
}

const headerBytes = 32;
const frameHeaderBytes = 24;
const empty: WalPages = { databasePages: null, pages: new Set() };

/** Checksums are not verified: a torn tail counts as whole here, and is left to SQLite. */
export function walPages(path: string, pageBytes: number): WalPages {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return empty;
  }
  try {
    const header = Buffer.alloc(headerBytes);
    if (readSync(fd, header, 0, headerBytes, 0) < headerBytes) return empty;
    if (header.readUInt32BE(0) >>> 1 !== 0x377f0682 >>> 1 || header.readUInt32BE(8) !== pageBytes) return empty;
    return frames(fd, pageBytes, header.toString('hex', 16, 24));
  } finally {
    closeSync(fd);
  }
}

/** Frames of the running generation carry the log's own salt; older ones behind them do not count. */
function frames(fd: number, pageBytes: number, salt: string): WalPages {
  const committed = new Set<number>();
  let pending: number[] = [];
  let databasePages: number | null = null;
  const frame = Buffer.alloc(frameHeaderBytes);
  for (let at = headerBytes; readSync(fd, frame, 0, frameHeaderBytes, at) === frameHeaderBytes;) {
    if (frame.toString('hex', 8, 16) !== salt) break;
    pending.push(frame.readUInt32BE(0));
    const pagesAfter = frame.readUInt32BE(4);
    if (pagesAfter > 0) {
      databasePages = pagesAfter;
      for (const page of pending) committed.add(page);
      pending = [];
    }
    at += frameHeaderBytes + pageBytes;
  }
  return { databasePages, pages: committed };
}
