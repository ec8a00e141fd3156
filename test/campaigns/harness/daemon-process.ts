/** A daemon in a process of its own, as a campaign sees it from outside. Owned by the campaign, which disposes of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, type ClientOptions, createClient } from '../../../src/client/index.ts';

interface DaemonProgram {
  /** A program that calls `runScriptedDaemon` on the folder. */
  readonly program: string;
  readonly folder: string;
  readonly args: readonly string[];
  /** Flags of Node itself. */
  readonly node?: readonly string[];
}

export class DaemonProcess implements AsyncDisposable {
  readonly url: string;
  readonly client: Client;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.url = url;
    this.client = this.connect();
  }

  /** Null: it was ended by SIGKILL before it was ready. Throws where it ended in another way. */
  static async start({ program, folder, args, node = [] }: DaemonProgram): Promise<DaemonProcess | null> {
    const child = fork(program, [folder, ...args], {
      execArgv: ['--no-warnings', ...node],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const told = await answerOf(child);
    if (told !== null) {
      return new DaemonProcess(child, folder, (told as { readonly url: string }).url);
    }
    if (child.signalCode !== 'SIGKILL') {
      throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode ?? '?'} before it was ready`);
    }
    return null;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Another client of it. */
  connect(options: Partial<ClientOptions> = {}): Client {
    const token = readFileSync(join(this.#folder, 'token'), 'utf8').trim();
    return createClient({ baseUrl: this.url, token, ...options });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get dead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async gone(): Promise<void> {
    if (!this.dead) {
      await once(this.#child, 'exit');
    }
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Sends its process a message, and resolves with the answer. */
  async ask(question: string): Promise<unknown> {
    this.#child.send(question);
    const answer = await answerOf(this.#child);
    if (answer === null) {
      throw new Error(`the daemon has ended: ${this.#child.exitCode ?? this.#child.signalCode ?? '?'}`);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGTERM');
    await this.gone();
  }
}

/** Its next message; null: it has ended. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const abort = new AbortController();
  const { signal } = abort;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]: unknown[]) => message),
      once(child, 'exit', { signal }).then(() => null),
    ]);
  } finally {
    abort.abort();
  }
}
