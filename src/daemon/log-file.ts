/**
 * The log in the data folder, for `signalbox logs`: the newest lines, in two files that replace each other. It owns its
 * descriptor. A disk that refuses costs lines of the log and nothing else.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles } from '../protocol/folder.ts';

/** Bytes of one of the two files. */
const fileMaxBytes = 4 * 1024 * 1024;

export class LogFile {
  readonly #path: string;
  #fd: number | null = null;
  #bytes = 0;

  constructor(folder: string) {
    this.#path = join(folder, dataFiles.log);
  }

  /** A whole line, with its end. */
  write(line: string): void {
    try {
      this.#fd ??= this.#open();
      if (this.#bytes > fileMaxBytes) {
        this.#replace();
      }
      this.#bytes += writeSync(this.#fd, line);
    } catch {
      // The log on standard error has the line, and the storage watch says that the disk refuses.
    }
  }

  #open(): number {
    const fd = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(fd).size;
    return fd;
  }

  #replace(): void {
    if (this.#fd !== null) {
      closeSync(this.#fd);
      this.#fd = null;
    }
    renameSync(this.#path, `${this.#path}.1`);
    this.#fd = this.#open();
  }
}
