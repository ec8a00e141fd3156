/**
 * A daemon that is killed again and again, and the load upon it. Owned by one run of the kill test.
 * Every answer the daemon gave is kept; what was never answered is asked again under the same idempotency key.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '../../../src/client/index.ts';
import type { AgentLogLine } from '../../../src/agents/index.ts';

const PROGRAM = fileURLToPath(new URL('./daemon.ts', import.meta.url));
const SESSIONS = 6;

/** Small and own, so that a seed gives the same load. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}

export interface Sent {
  readonly key: string;
  readonly session: string;
  readonly prompt: string;
  readonly lane: 'interactive' | 'background';
  /** Null while no answer came. */
  task: string | null;
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-kill-'));
  readonly agentLog = join(this.folder, 'agents.log');
  readonly sent: Sent[] = [];
  readonly #random: () => number;
  #child: ChildProcess | null = null;
  #client: Client | null = null;
  /** Answers that contradict each other. */
  readonly contradictions: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  get client(): Client {
    if (this.#client === null) {
      throw new Error('the daemon is not running');
    }
    return this.#client;
  }

  /** Starts the daemon; false if its fault point killed it before it was ready. */
  async start(point = 'none', count = 0): Promise<boolean> {
    const child = spawn(process.execPath, [PROGRAM, join(this.folder, 'data'), this.agentLog, point, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([
      new Promise<string>((resolve) => lines.once('line', resolve)),
      new Promise<null>((resolve) => child.once('exit', () => resolve(null))),
    ]);
    if (first === null) {
      if (child.signalCode !== 'SIGKILL') {
        throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode} before it was ready`);
      }
      return false;
    }
    const { url } = JSON.parse(first) as { url: string };
    const token = readFileSync(join(this.folder, 'data', 'token'), 'utf8').trim();
    this.#client = createClient({ baseUrl: url, token });
    return true;
  }

  get dead(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  gone(): Promise<void> {
    const child = this.#child;
    return child === null || this.dead
      ? Promise.resolve()
      : new Promise((resolve) => child.once('exit', () => resolve()));
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#child?.kill(signal);
  }

  #prompt(): string {
    const choices = [
      '[[text:short]]',
      '[[stream:5,2]]',
      '[[stream:20,3]]',
      '[[forever:2]]',
      '[[die]]',
      '[[ack:never]][[forever:2]]',
      '[[fail:nope]]',
    ];
    const weights = [8, 8, 5, 2, 1, 1, 1];
    let at = this.#random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let index = 0; index < choices.length; index += 1) {
      at -= weights[index] ?? 0;
      if (at < 0) {
        return choices[index] ?? '';
      }
    }
    return choices[0] ?? '';
  }

  /** One action of a caller; errors of a daemon that died under it are what this test is about. */
  async act(): Promise<void> {
    const dice = this.#random();
    try {
      if (dice < 0.7 || this.sent.length === 0) {
        const lane = this.#random() < 0.5 ? 'interactive' : 'background';
        const sent: Sent = {
          key: `kill-${this.sent.length}`,
          session: `kill:${Math.floor(this.#random() * SESSIONS)}`,
          prompt: this.#prompt(),
          lane,
          task: null,
        };
        this.sent.push(sent);
        await this.submit(sent);
      } else {
        const sent = this.sent[Math.floor(this.#random() * this.sent.length)];
        const again = this.#random() < 0.5;
        if (sent !== undefined && (again || sent.task === null)) {
          await this.submit(sent);
        } else if (sent !== undefined && sent.task !== null) {
          await this.client.cancel(sent.task);
        }
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!['unreachable', 'aborted', 'bad_response', 'queue_full', 'closing'].includes(code)) {
        throw error;
      }
    }
  }

  async submit(sent: Sent): Promise<void> {
    const { session, prompt, lane } = sent;
    const receipt = await this.client.submit({ session, prompt, lane }, { idempotencyKey: sent.key });
    if (sent.task !== null && sent.task !== receipt.task) {
      this.contradictions.push(`key ${sent.key} gave ${sent.task}, then ${receipt.task}`);
    }
    sent.task = receipt.task;
  }

  agentLines(): AgentLogLine[] {
    let text = '';
    try {
      text = readFileSync(this.agentLog, 'utf8');
    } catch {
      return [];
    }
    return text
      .split('\n')
      .filter((line) => line.length > 0)
      .map((line) => JSON.parse(line) as AgentLogLine);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
