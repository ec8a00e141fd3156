/**
 * Several real daemons on one real Postgres server, under load, while they are killed, stopped past their lease, drained and closed, and
 * while the server restarts and cuts its connections. Judged by the tapes and by the agents' own log.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { AppError } from '../../../src/core/errors.ts';
import { Cli } from '../../support/cli.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { judgeTape } from '../harness/judge-tape.ts';
import { killNode, newDatabase, type RealNode, startNode, statement, type NodeSettings } from './world.ts';

export interface NodesOptions {
  readonly seconds: number;
  readonly nodes: number;
  readonly sessions: number;
  readonly callers: number;
  readonly seed: number;
  readonly ttlMs: number;
  readonly tell?: (now: { readonly seconds: number; readonly accepted: number; readonly faults: number }) => void;
}

export interface NodesReport {
  readonly accepted: number;
  /** Requests that were answered with an error, or not at all, and were sent again. */
  readonly repeated: number;
  readonly faults: { readonly [name: string]: number };
  readonly wrong: readonly string[];
}

/** A linear congruential generator with the constants of Numerical Recipes. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A request that gets no answer is sent again with its key. */
const answerMs = 20_000;
/** For all that was accepted to end, behind the last fault. */
const settleMs = 180_000;

class NodesRun {
  readonly #options: NodesOptions;
  readonly #server: PostgresServer;
  readonly #settings: NodeSettings;
  readonly #draw: (below: number) => number;
  readonly #clis: readonly Cli[];
  readonly #nodes: (RealNode | null)[];
  readonly #accepted = new Map<string, string>();
  readonly #faults: { [name: string]: number } = {};
  readonly wrong: string[] = [];
  #repeated = 0;
  #sent = 0;
  #over = false;

  constructor(options: NodesOptions, server: PostgresServer, settings: NodeSettings) {
    this.#options = options;
    this.#server = server;
    this.#settings = settings;
    this.#draw = randomOf(options.seed);
    this.#clis = Array.from({ length: options.nodes }, () => new Cli());
    this.#nodes = this.#clis.map(() => null);
  }

  async run(): Promise<NodesReport> {
    for (const at of this.#clis.keys()) {
      await this.#start(at);
    }
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1_000;
    const callers = Array.from({ length: this.#options.callers }, () => this.#call());
    while (seconds() < this.#options.seconds) {
      await this.#fault();
      this.#options.tell?.({
        seconds: seconds(),
        accepted: this.#accepted.size,
        faults: Object.values(this.#faults).reduce((sum, one) => sum + one, 0),
      });
    }
    this.#over = true;
    await Promise.all(callers);
    await this.#judge();
    return { accepted: this.#accepted.size, repeated: this.#repeated, faults: this.#faults, wrong: this.wrong };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clis.map((cli) => cli[Symbol.asyncDispose]()));
  }

  async #start(at: number): Promise<void> {
    const cli = this.#clis[at];
    if (cli !== undefined) {
      this.#nodes[at] = await startNode(cli, `node-${at + 1}`, this.#settings);
    }
  }

  get #up(): readonly RealNode[] {
    return this.#nodes.filter((node) => node !== null);
  }

  #any<T>(list: readonly T[]): T {
    const one = list[this.#draw(list.length)];
    if (one === undefined) {
      throw new Error('one of several is wanted');
    }
    return one;
  }

  /** One caller: sends a task through any node, again and again until it is accepted, and sometimes cancels one. */
  async #call(): Promise<void> {
    while (!this.#over) {
      this.#sent += 1;
      const key = `task-${this.#sent}`;
      const lane = this.#draw(4) === 0 ? 'interactive' : 'background';
      const request = {
        session: `s${this.#draw(this.#options.sessions)}`,
        prompt: `[[work:${1 + this.#draw(30)},20]] ${key}`,
        lane,
        idempotencyKey: key,
      } as const;
      for (let accepted = false; !accepted;) {
        accepted = await this.#submit(key, request);
      }
      if (this.#draw(8) === 0) {
        await this.#any(this.#up)
          .client.cancel(this.#any([...this.#accepted.values()]), {}, { signal: AbortSignal.timeout(answerMs) })
          .catch(() => {});
      }
      await after(this.#draw(100));
    }
  }

  async #submit(
    key: string,
    { idempotencyKey, ...request }: Parameters<RealNode['client']['submit']>[0] & { readonly idempotencyKey: string },
  ): Promise<boolean> {
    if (this.#up.length === 0) {
      await after(50);
      return false;
    }
    try {
      const { task } = await this.#any(this.#up).client.submit(request, {
        idempotencyKey,
        signal: AbortSignal.timeout(answerMs),
      });
      const before = this.#accepted.get(key);
      if (before !== undefined && before !== task) {
        this.wrong.push(`${key} became the tasks ${before} and ${task}`);
      }
      this.#accepted.set(key, task);
      return true;
    } catch (error) {
      this.#repeated += 1;
      if (error instanceof AppError && error.code === 'invariant_broken') {
        this.wrong.push(`${key}: ${error.message}`);
      }
      await after(50 + this.#draw(200));
      return false;
    }
  }

  async #fault(): Promise<void> {
    const { ttlMs } = this.#options;
    const at = this.#draw(this.#nodes.length);
    const node = this.#nodes[at] ?? null;
    const name = this.#any([
      'kill',
      'stop',
      'stop',
      'drain',
      'close',
      'restart the database',
      'cut connections',
      'open a transaction',
    ]);
    this.#faults[name] = (this.#faults[name] ?? 0) + 1;
    if (node !== null && name === 'kill') {
      this.#nodes[at] = null;
      killNode(node);
      await node.up.ended;
      await this.#start(at);
    } else if (node !== null && name === 'stop') {
      process.kill(node.up.ready.daemon, 'SIGSTOP');
      await after(ttlMs / 2 + this.#draw(2 * ttlMs));
      process.kill(node.up.ready.daemon, 'SIGCONT');
    } else if (node !== null && name === 'drain') {
      const other = this.#any(this.#up).client;
      await other.drainNode(node.name).catch(() => {});
      await after(this.#draw(2 * ttlMs));
      await other.resumeNode(node.name).catch(() => {});
    } else if (node !== null && name === 'close') {
      this.#nodes[at] = null;
      node.up.child.kill('SIGTERM');
      const { code } = await node.up.ended;
      if (code !== 0) {
        this.wrong.push(`${node.name} ended with ${String(code)}`);
      }
      await this.#start(at);
    } else if (name === 'restart the database') {
      await this.#server.crash();
      await after(this.#draw(2 * ttlMs));
      await this.#server.restart();
    } else if (name === 'cut connections') {
      const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox'";
      await statement(this.#server, others);
    } else {
      await statement(
        this.#server,
        `BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep(${this.#draw(ttlMs) / 1_000}); COMMIT`,
      );
    }
    await after(this.#draw(ttlMs));
  }

  async #judge(): Promise<void> {
    const [node] = this.#up;
    if (node === undefined) {
      this.wrong.push('no node is left');
      return;
    }
    await Promise.all(this.#up.map(({ name }) => node.client.resumeNode(name).catch(() => {})));
    const until = performance.now() + settleMs;
    for (const task of this.#accepted.values()) {
      let wrong = await judgeTape(node.client, task);
      while (wrong.length > 0 && performance.now() < until) {
        await after(100);
        wrong = await judgeTape(node.client, task);
      }
      this.wrong.push(...wrong);
    }
    this.wrong.push(...overlaps(this.#settings.log));
  }
}

/** Agents that began while another one of their session lived, as they say themselves. */
const overlaps = (log: string): readonly string[] =>
  (existsSync(log) ? readFileSync(log, 'utf8') : '')
    .split('\n')
    .filter((line) => line.includes('"event":"overlap"'))
    .map((line) => `two agents in one session: ${line}`);

export async function nodesRun(options: NodesOptions): Promise<NodesReport> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nodes-'));
  const server = await startPostgres(['autovacuum=off', 'fsync=off']);
  try {
    const store = await newDatabase(server, 'nodes');
    const log = join(folder, 'agents.log');
    const run = new NodesRun(options, server, { store, ttlMs: options.ttlMs, log, graceMs: 1_000 });
    try {
      return await run.run();
    } finally {
      await run.close();
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
