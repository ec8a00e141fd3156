/**
 * Several real daemons on one real Postgres server, under load, while faults strike one after the other. Judged by the tapes, by what
 * followers saw, and by the agents' own log.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { seeded } from '../../support/random.ts';
import { startPostgres } from '../../support/postgres.ts';
import { AgentsWatch } from './agents-watch.ts';
import { Arena, type Draw } from './arena.ts';
import type { Fault } from './faults/fault.ts';
import { Findings, promises, type Promised } from './findings.ts';
import { judge } from './judge.ts';
import { Load } from './load.ts';

export interface NodesOptions {
  /** In the order of a draw, each as often as the others. */
  readonly faults: readonly Fault[];
  /** It ends when so much time is over, or when each fault has struck so often. */
  readonly seconds: number;
  readonly rounds?: number;
  readonly nodes: number;
  readonly sessions: number;
  readonly callers: number;
  readonly seed: number;
  readonly ttlMs: number;
  readonly tell?: (now: NodesProgress) => void;
}

export interface NodesProgress {
  readonly seconds: number;
  readonly accepted: number;
  readonly struck: number;
  /** What strikes now; null: the judgement. */
  readonly fault: string | null;
}

/** What one fault did. */
export interface FaultReport {
  readonly name: string;
  readonly count: number;
  /** Milliseconds until work continued; null: it never came to pass. */
  readonly p50: number | null;
  readonly max: number | null;
}

export interface NodesReport {
  readonly accepted: number;
  /** Requests that were answered with an error, or not at all, and were sent again. */
  readonly repeated: number;
  readonly followed: number;
  readonly faults: readonly FaultReport[];
  /** Successors that began beside an agent that was frozen: it ends without another word. */
  readonly stoodStill: number;
  readonly broken: { readonly [promise in Promised]: number };
  /** Of these, what was not promised where these faults strike. */
  readonly without: readonly Promised[];
  readonly wrong: readonly string[];
  /** What nodes and agents said; null: nothing is wrong, and it was removed. */
  readonly folder: string | null;
}

/** For all that was accepted to end, after the last fault. */
const settleMs = 180_000;
/** Longer than any takeover, and than what waits in a session. */
const recoverMs = 90_000;

const drawOf = (seed: number): Draw => {
  const random = seeded(seed);
  return (below) => Math.floor(random() * below);
};

class NodesRun {
  readonly #options: NodesOptions;
  readonly #arena: Arena;
  readonly #findings: Findings;
  readonly #load: Load;
  readonly #times = new Map<string, (number | null)[]>();
  readonly #began = performance.now();
  #struck = 0;
  #over = false;

  constructor(options: NodesOptions, arena: Arena) {
    this.#options = options;
    this.#arena = arena;
    this.#findings = new Findings();
    this.#load = new Load(arena, this.#findings);
    arena.onDeath = (what) => this.#findings.add('other', what);
  }

  async run(): Promise<NodesReport> {
    const { callers, seed, sessions } = this.#options;
    using watch = new AgentsWatch(this.#arena.log, this.#findings);
    const calls = Array.from({ length: callers }, (_, at) =>
      this.#load.call(drawOf(seed * 1_000 + at), sessions, () => this.#over),
    );
    // Each node owns sessions by then.
    await after(this.#options.ttlMs);
    for (const fault of this.#schedule()) {
      await this.#strike(fault);
      if (this.#over) {
        break;
      }
    }
    this.#over = true;
    await Promise.all(calls);
    this.#tell(null);
    const stoodStill = await this.#judge();
    watch[Symbol.dispose]();
    return this.#report(stoodStill);
  }

  /** The same for each run with one seed, as far as its time reaches. */
  *#schedule(): Generator<Fault> {
    const { faults, seconds, rounds = Infinity, seed } = this.#options;
    const draw = drawOf(seed);
    for (let round = 0; round < rounds; round += 1) {
      const left = [...faults];
      while (left.length > 0) {
        const [fault] = left.splice(draw(left.length), 1);
        if (performance.now() - this.#began >= seconds * 1_000) {
          return;
        }
        if (fault !== undefined) {
          yield fault;
        }
      }
    }
  }

  async #strike(fault: Fault): Promise<void> {
    this.#tell(fault.name);
    this.#struck += 1;
    const draw = drawOf(this.#options.seed * 1_000_003 + this.#struck);
    const scene = { arena: this.#arena, load: this.#load, findings: this.#findings, draw };
    const late = new AbortController();
    const tooLate = after(recoverMs, 'late' as const, { signal: late.signal }).catch(() => 'late' as const);
    const struck = fault.strike(scene).catch((error: unknown) => {
      this.#findings.add(
        'other',
        `${fault.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return null;
    });
    const ms = await Promise.race([struck, tooLate]);
    late.abort();
    if (ms === 'late') {
      // What it broke stays broken: nothing behind it would say more.
      this.#findings.add('lost', `${fault.name}: work has not continued within ${recoverMs / 1_000} s`);
      this.#over = true;
      return;
    }
    this.#times.set(fault.name, [...(this.#times.get(fault.name) ?? []), ms]);
    await after(draw(this.#options.ttlMs / 2));
  }

  #tell(fault: string | null): void {
    this.#options.tell?.({
      seconds: (performance.now() - this.#began) / 1_000,
      accepted: this.#load.accepted.length,
      struck: this.#struck,
      fault,
    });
  }

  /** Gives how many agents stood still beside their successors. */
  async #judge(): Promise<number> {
    const [node] = this.#arena.up;
    if (node === undefined) {
      this.#findings.add('other', 'no node is left');
      return 0;
    }
    await Promise.all(this.#arena.up.map(({ name }) => node.client.resumeNode(name).catch(() => {})));
    const { accepted, followed } = this.#load;
    const until = performance.now() + settleMs;
    for (const { task, key } of accepted) {
      let view = await node.client.task(task).catch(() => null);
      while (view !== null && view.endedAt === null && performance.now() < until) {
        await after(100);
        view = await node.client.task(task).catch(() => view);
      }
      if (view !== null && view.endedAt === null) {
        this.#findings.add('lost', `task ${task} (${key}) is ${view.status}`);
      }
    }
    await this.#load.close(Math.max(10_000, until - performance.now()));
    const keep = (name: string, content: string): void =>
      writeFileSync(join(this.#arena.options.folder, name), content);
    const evidence = { client: node.client, accepted, followed, log: this.#arena.log, keep };
    return (await judge(evidence, this.#findings)).stoodStill;
  }

  #report(stoodStill: number): NodesReport {
    const free = new Set<Promised>(this.#options.faults.flatMap(({ without = [] }) => without));
    const names = Object.keys(promises) as Promised[];
    return {
      accepted: this.#load.accepted.length,
      repeated: this.#load.repeated,
      followed: this.#load.followed.size,
      faults: [...this.#times].map(([name, all]) => timesOf(name, all)),
      stoodStill,
      broken: Object.fromEntries(names.map((name) => [name, this.#findings.count(name)])) as NodesReport['broken'],
      without: [...free],
      wrong: this.#findings.lines.filter((line) => ![...free].some((promise) => line.startsWith(promise))),
      folder: null,
    };
  }
}

function timesOf(name: string, all: readonly (number | null)[]): FaultReport {
  const sorted = all.flatMap((ms) => ms ?? []).toSorted((a, b) => a - b);
  const at = (share: number): number | null => {
    const ms = sorted[Math.floor(share * (sorted.length - 1))];
    return ms === undefined ? null : Math.round(ms);
  };
  return { name, count: sorted.length, p50: at(0.5), max: at(1) };
}

export async function nodesRun(options: NodesOptions): Promise<NodesReport> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nodes-'));
  const report = await runIn(folder, options);
  if (report.wrong.length > 0) {
    return { ...report, folder };
  }
  rmSync(folder, { recursive: true, force: true });
  return report;
}

async function runIn(folder: string, options: NodesOptions): Promise<NodesReport> {
  const server = await startPostgres(['autovacuum=off', 'fsync=off', 'max_connections=60']);
  const { nodes, ttlMs } = options;
  await using arena = await Arena.open({ nodes, ttlMs, folder }, server);
  return await new NodesRun(options, arena).run();
}
