/**
 * The explored graph in compressed rows: the edges of state n are the entries from `start(n)` to `start(n + 1)`. Rows are
 * written in the order of the states' numbers, which is the order in which breadth-first search expands them.
 */
import { Column32, Column8 } from './columns.ts';

export class Graph {
  readonly #start = new Column32();
  readonly #target = new Column32();
  readonly #kind = new Column8();
  /** Per state: the goals that are pending in it, and the classes that are enabled in it, as bit sets. */
  readonly #pending = new Column32();
  readonly #enabled = new Column32();

  get bytes(): number {
    return this.#start.bytes + this.#target.bytes + this.#kind.bytes + this.#pending.bytes + this.#enabled.bytes;
  }

  get states(): number {
    return this.#pending.length;
  }

  get edges(): number {
    return this.#target.length;
  }

  beginRow(): void {
    this.#start.push(this.#target.length);
  }

  edge(target: number, kind: number): void {
    this.#target.push(target);
    this.#kind.push(kind);
  }

  endRow(pending: number, enabled: number): void {
    this.#pending.push(pending >>> 0);
    this.#enabled.push(enabled >>> 0);
  }

  start(state: number): number {
    return state === this.#start.length ? this.#target.length : this.#start.get(state);
  }

  target(edge: number): number {
    return this.#target.get(edge);
  }

  kind(edge: number): number {
    return this.#kind.get(edge);
  }

  isPending(state: number, goal: number): boolean {
    return ((this.#pending.get(state) >>> goal) & 1) === 1;
  }

  enabled(state: number): number {
    return this.#enabled.get(state);
  }
}
