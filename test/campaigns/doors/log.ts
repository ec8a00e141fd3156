/**
 * Two daemons that log everything have the same load, in turns: the log of one is read, that of the other never. The second must not be slower,
 * and counts the lines that it dropped.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type Client, createClient } from '../../../src/client/index.ts';
import { tokenIn } from '../../../src/cli/target.ts';
import { Cli, firstLine, type Up } from '../../support/cli.ts';
import { type Times, timesOf } from './times.ts';

interface LogPlan {
  readonly minutes: number;
  /** At once, each in its own session. */
  readonly callers: number;
  readonly tell: (text: string) => void;
}

interface Side {
  /** From a submit to its receipt. */
  readonly submit: Times;
  /** From a submit to the `final` of its task. */
  readonly task: Times;
  readonly dropped: number;
  /** Code and signal of the end by SIGTERM. */
  readonly exit: readonly unknown[];
}

export interface LogReport {
  readonly read: Side;
  readonly unread: Side;
}

/** A request for it is a line of about 500 bytes. */
const longPath = `/${'x'.repeat(300)}`;
/** So many after each task. */
const noise = 20;

class LoggingDaemon {
  readonly #url: string;
  readonly #client: Client;
  readonly #child: ChildProcess;
  readonly #submits: number[] = [];
  readonly #tasks: number[] = [];

  private constructor(child: ChildProcess, url: string, token: string) {
    this.#child = child;
    this.#url = url;
    this.#client = createClient({ baseUrl: url, token });
  }

  static async start(cli: Cli, isRead: boolean): Promise<LoggingDaemon> {
    const child = cli.spawn(['up', '--json', '--log-level', 'debug', '--port', '0']);
    if (isRead) {
      child.stderr?.resume();
    } else {
      child.stderr?.pause();
    }
    const { url } = JSON.parse(await firstLine(child)) as Up['ready'];
    return new LoggingDaemon(child, url, tokenIn(cli.data) ?? '');
  }

  /** One task of each caller, to its end, and some requests that only leave lines in the log. */
  async load(callers: number): Promise<void> {
    await Promise.all(
      Array.from({ length: callers }, async (_, index) => {
        const began = performance.now();
        const { task } = await this.#client.submit({ session: `s${index}`, prompt: '[[text:done]]' });
        this.#submits.push(performance.now() - began);
        for await (const { type } of this.#client.follow(task)) {
          if (type === 'final') {
            this.#tasks.push(performance.now() - began);
          }
        }
        for (let request = 0; request < noise; request += 1) {
          await (await fetch(this.#url + longPath)).text();
        }
      }),
    );
  }

  async dropped(): Promise<number> {
    return Number(/^signalbox_log_lines_dropped_total (\d+)$/m.exec(await this.#client.metrics())?.[1]);
  }

  async end(): Promise<Side> {
    const dropped = await this.dropped();
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    return { submit: timesOf(this.#submits), task: timesOf(this.#tasks), dropped, exit: await exit };
  }
}

export async function logRun({ minutes, callers, tell }: LogPlan): Promise<LogReport> {
  await using readCli = new Cli();
  await using unreadCli = new Cli();
  const read = await LoggingDaemon.start(readCli, true);
  const unread = await LoggingDaemon.start(unreadCli, false);
  const began = performance.now();
  let round = 0;
  // At least until lines are dropped: before that there is nothing to compare.
  for (; performance.now() - began < minutes * 60_000 || (await unread.dropped()) === 0; round += 1) {
    // Neither is always the first.
    for (const daemon of round % 2 === 0 ? [read, unread] : [unread, read]) {
      await daemon.load(callers);
    }
    if (round % 100 === 0) {
      tell(`${Math.round((performance.now() - began) / 1_000)} of ${minutes * 60} s: ${round * callers} tasks each`);
    }
  }
  return { read: await read.end(), unread: await unread.end() };
}
