/**
 * A daemon that is killed again and again, and the load upon it. Owned by one run of the kill test.
 * Every answer the daemon gave is kept; what was never answered is asked again under the same idempotency key.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../../src/client/index.ts';
import type { AgentLogLine } from '../../../src/agents/index.ts';
import type { DaemonProcess } from '../harness/daemon-process.ts';
import { startKilledDaemon } from './daemon-program.ts';

const sessions = 6;

interface Sent {
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
  #daemon: DaemonProcess | null = null;
  /** Answers that contradict each other. */
  readonly contradictions: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  get client(): Client {
    if (this.#daemon === null) {
      throw new Error('the daemon is not running');
    }
    return this.#daemon.client;
  }

  /** Starts the daemon; false if its fault point killed it before it was ready. */
  async start(fault?: { readonly point: string; readonly count: number }): Promise<boolean> {
    const { folder, agentLog } = this;
    this.#daemon = await startKilledDaemon({ folder, agentLog, ...(fault === undefined ? {} : { fault }) });
    return this.#daemon !== null;
  }

  get dead(): boolean {
    return this.#daemon?.dead ?? true;
  }

  async gone(): Promise<void> {
    await this.#daemon?.gone();
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#daemon?.kill(signal);
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
          session: `kill:${Math.floor(this.#random() * sessions)}`,
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
