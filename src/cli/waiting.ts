/**
 * Says on standard error what a task waits for, to a person who waits for its end: after 2 s, and whenever that changes.
 *
 * It asks the daemon once a second, but not while the task runs. Owned by the follower of the task, which tells it each event
 * and ends it.
 */
import type { Client, ReadEvent } from '../client/index.ts';
import type { Explanation } from '../protocol/tasks.ts';
import type { Io } from './io.ts';
import { harmless } from './output/paint.ts';
import { permissionRequestsText } from './output/text.ts';

/** A task that is served at once says nothing. */
const firstMs = 2_000;
const everyMs = 1_000;

/** Events after which the task runs, until another one comes. */
const runs: ReadonlySet<string> = new Set(['turn-started', 'output', 'permission-resolved', 'interrupt-acked']);

interface NoticeOptions {
  readonly client: Pick<Client, 'explain'>;
  readonly task: string;
  readonly io: Pick<Io, 'say' | 'paint'>;
  /** Behind a command that is named: the data folder. */
  readonly flag: string;
}

export class WaitNotice implements Disposable {
  readonly #options: NoticeOptions;
  #runs = false;
  #said: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null;

  constructor(options: NoticeOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => void this.#look(), firstMs);
  }

  heard(event: ReadEvent): void {
    this.#runs = event.kind === 'known' && runs.has(event.type);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }

  async #look(): Promise<void> {
    if (!this.#runs) {
      // A daemon that does not answer is the follower's to report.
      const explained = await this.#options.client.explain(this.#options.task).catch(() => null);
      if (explained !== null && this.#timer !== null) {
        this.#say(explained);
      }
    }
    if (this.#timer !== null) {
      this.#timer = setTimeout(() => void this.#look(), everyMs);
    }
  }

  #say(explained: Explanation): void {
    const { io, flag } = this.#options;
    const text = waitText(explained, flag);
    if (text !== this.#said) {
      const line = text ?? (this.#said === null ? null : 'runs now');
      this.#said = text;
      if (line !== null) {
        io.say(io.paint.faint(harmless(`signalbox: ${line}`)));
      }
    }
  }
}

/** What it waits for, without a figure that changes by itself; null: it waits for nothing. */
export function waitText(explained: Explanation, flag: string): string | null {
  const { state, summary, task } = explained;
  switch (state) {
    case 'running':
    case 'interrupting':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return null;
    case 'asking': {
      const own = explained.permissionRequests.filter((request) => request.task === task);
      return `waits for a person: ${permissionRequestsText(own, flag) ?? 'a permission request'}`;
    }
    case 'starting':
      return `waits for its agent: ${explained.agent}`;
    case 'waiting':
    case 'preempted':
    case 'throttled':
    case 'parked':
    case 'merged': {
      const others = explained.permissionRequests.filter((request) => request.task !== task);
      const asked = permissionRequestsText(others, flag);
      return `${state}: ${summary}${asked === null ? '' : `\nIts owner waits for a person: ${asked}`}`;
    }
  }
}
