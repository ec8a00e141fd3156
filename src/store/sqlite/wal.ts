/** Which pages stand in a write-ahead log (https://sqlite.org/fileformat2.html#walformat), read without SQLite. */
import { closeSync, openSync, readSync } from 'node:fs';

const headerBytes = 32;
const frameHeaderBytes = 24;

/**
 * Numbers of the pages that were committed to the log; none if there is no log. Checksums are not verified: a torn tail counts
 * as whole here, and is left to SQLite.
 */
export function walPages(path: string, pageBytes: number): ReadonlySet<number> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return new Set();
  }
  try {
    const header = Buffer.alloc(headerBytes);
    if (readSync(fd, header, 0, headerBytes, 0) < headerBytes) {
      return new Set();
    }
    // The lowest bit of the magic number says in which byte order the checksums are.
    const isLog = header.readUInt32BE(0) >>> 1 === 0x377f0682 >>> 1 && header.readUInt32BE(8) === pageBytes;
    return isLog ? committedPages(fd, pageBytes, header.toString('hex', 16, 24)) : new Set();
  } finally {
    closeSync(fd);
  }
}

/** Frames of the running generation carry the log's own salt; older ones behind them do not count. */
function committedPages(fd: number, pageBytes: number, salt: string): ReadonlySet<number> {
  const committed = new Set<number>();
  let pending: number[] = [];
  const frame = Buffer.alloc(frameHeaderBytes);
  for (let at = headerBytes; readSync(fd, frame, 0, frameHeaderBytes, at) === frameHeaderBytes;) {
    if (frame.toString('hex', 8, 16) !== salt) {
      break;
    }
    pending.push(frame.readUInt32BE(0));
    const isCommit = frame.readUInt32BE(4) > 0;
    if (isCommit) {
      for (const page of pending) {
        committed.add(page);
      }
      pending = [];
    }
    at += frameHeaderBytes + pageBytes;
  }
  return committed;
}
