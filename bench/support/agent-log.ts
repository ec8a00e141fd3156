/** Reads the scripted agent's own log as it grows. The times in it are the agent's. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { AgentLogLine } from '../../src/agents/index.ts';
import { pause } from '../harness.ts';

export class AgentLogReader implements Disposable {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(262_144);
  #offset = 0;
  #half = '';
  #lines: AgentLogLine[] = [];

  constructor(path: string) {
    // Made if it is not there: the agent appends.
    this.#file = openSync(path, 'a+');
  }

  /** The next line that fits, passing over the ones before it. Looks every millisecond: the times are in the lines. */
  async next(event: AgentLogLine['event'], fits: (line: AgentLogLine) => boolean = () => true): Promise<AgentLogLine> {
    for (let tries = 0; tries < 30_000; tries += 1) {
      this.#read();
      const at = this.#lines.findIndex((line) => line.event === event && fits(line));
      const found = this.#lines[at];
      if (found !== undefined) {
        this.#lines = this.#lines.slice(at + 1);
        return found;
      }
      this.#lines = [];
      await pause(1);
    }
    throw new Error(`the agent has not logged ${event}`);
  }

  #read(): void {
    for (;;) {
      const count = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#offset);
      if (count === 0) {
        return;
      }
      this.#offset += count;
      const parts = (this.#half + this.#buffer.toString('utf8', 0, count)).split('\n');
      this.#half = parts.pop() ?? '';
      for (const part of parts) {
        this.#lines.push(JSON.parse(part) as AgentLogLine);
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** Microseconds from one of the log's times, or of `nowNs`, to another. */
export const usBetween = (from: string | bigint, to: string | bigint): number =>
  Number(BigInt(to) - BigInt(from)) / 1000;
