/**
 * Whether a database file is still the one that was opened. SQLite does not look: it would go on writing to a file that has
 * lost its name, and what it confirmed would be gone.
 *
 * Owned by the store, which asks before each write and says when it has written.
 *  file-identity/1 From the first look on after the file was removed, moved, cut or written by another program, or its
 *                  write-ahead log was removed, moved or cut, every look fails.
 *  file-identity/2 A file that was moved away and came back unchanged is accepted again.
 */
import { statSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';

interface Seen {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

export class FileIdentity {
  readonly #path: string;
  readonly #logPath: string;
  #file: Seen | null;
  /** Null before the first write makes it. */
  #log: Seen | null;

  constructor(path: string) {
    this.#path = path;
    this.#logPath = `${path}-wal`;
    this.#file = look(path);
    this.#log = look(this.#logPath);
  }

  /** Throws `store_replaced`. */
  check(): void {
    const file = look(this.#path);
    const same = whole(this.#path, file, this.#file);
    // Only a checkpoint writes to the file, and only the store makes one.
    if (same !== null && same.mtimeMs !== this.#file?.mtimeMs) {
      throw replaced(this.#path, 'was changed by another program');
    }
    if (this.#log !== null) {
      // Other programs may add to the log: SQLite orders their writes and ours.
      this.#log = whole(this.#logPath, look(this.#logPath), this.#log);
    }
  }

  /** What has changed since the last look was the store's own doing. */
  written(): void {
    this.#file = adopted(look(this.#path), this.#file);
    this.#log = adopted(look(this.#logPath), this.#log);
  }
}

const look = (path: string): Seen | null => statSync(path, { throwIfNoEntry: false }) ?? null;

const isSame = (now: Seen, before: Seen): boolean => now.ino === before.ino && now.dev === before.dev;

function whole(path: string, now: Seen | null, before: Seen | null): Seen | null {
  if (now === null) {
    throw replaced(path, 'was removed or moved');
  }
  if (before !== null && !isSame(now, before)) {
    throw replaced(path, 'was replaced by another file');
  }
  if (before !== null && now.size < before.size) {
    throw replaced(path, `was cut from ${before.size} to ${now.size} bytes`);
  }
  return now;
}

/** Another file at the place is not the store's doing: the next look finds it. */
const adopted = (now: Seen | null, before: Seen | null): Seen | null =>
  now !== null && (before === null || isSame(now, before)) ? now : before;

const replaced = (path: string, how: string): AppError =>
  new AppError({ code: 'store_replaced', message: `${path} ${how}` });
