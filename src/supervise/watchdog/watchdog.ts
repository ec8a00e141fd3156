/**
 * The main thread's side of its watchdog: gives signs of life, writes down what waits, and takes the thread's words.
 *
 * Owns: the thread, the heartbeat timer, the memory they share. Made by the program of the daemon before any code that is not ours is
 * loaded. Invariants:
 *  watchdog/1 A heartbeat costs nothing but the time of writing down what is live: no I/O, no allocation while nothing is.
 *  watchdog/2 Neither thread nor heartbeat keeps the process alive.
 *  watchdog/3 A thread that dies is told once, and asked nothing more.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../guard/clock.ts';
import { FreezeListeners, type Guard } from '../guard/lease.ts';
import type { FromDaemon } from '../launcher/control-messages.ts';
import { controlFd } from '../launcher/control-messages.ts';
import type { AgentFinding } from './compose.ts';
import { makeMemory, MemoryWriter } from './shared-memory.ts';
import type { HangTrigger } from '../../core/model/hang.ts';
import type { HangSummary, Snapshot } from './report.ts';
import type { FromThread, ThreadData, ToThread, WatchSettings } from './thread-messages.ts';

const heartbeatMs = 250;

interface WatchdogOptions {
  /** Where reports go; made when there is one. */
  readonly folder: string;
  readonly version: string;
  /** Descriptor 3 is a control socket to a launcher. */
  readonly launched: boolean;
  /** The daemon's cookie, or null. */
  readonly daemonId: string | null;
  readonly settings: WatchSettings;
  /** The launcher wants an end. */
  readonly onEnd?: (why: string) => void;
  /** The main loop was blocked, and runs again. */
  readonly onNoticed?: (report: HangSummary) => void;
  readonly onResumed?: (id: string, afterMs: number) => void;
  readonly onError?: (error: unknown, where: string) => void;
}

/** Beside this file: `thread.ts` when run from sources, `thread.js` when built. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
/** A report takes the stack's deadline and a file; a thread that takes longer is gone. */
const reportDeadlineMs = 5_000;

interface Waiting {
  readonly done: (report: HangSummary) => void;
  readonly fail: (error: Error) => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #memory: MemoryWriter;
  readonly #worker: Worker;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #waiting = new Map<number, Waiting>();
  readonly #frozen = new FreezeListeners();
  #settings: WatchSettings;
  #snapshot: () => Snapshot | null = () => null;
  #empty = true;
  #asked = 0;
  #dead = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { folder, version, launched, daemonId, settings } = options;
    const memory = makeMemory();
    this.#memory = new MemoryWriter(memory);
    const data: ThreadData = { memory, folder, version, daemonId, settings, control: launched ? controlFd : null };
    this.#worker = new Worker(threadFile, {
      workerData: data,
      name: 'signalbox-watchdog',
      // Flags of the process are not for it: what they load would run a second time.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.unref();
    this.#worker.on('message', (message: FromThread) => this.#onThread(message));
    this.#worker.on('error', (error) => this.#died(error));
    this.#worker.on('exit', () => this.#died(new Error('the watchdog thread has ended')));
    this.#heartbeat = setInterval(() => this.#tick(), heartbeatMs);
    this.#heartbeat.unref();
  }

  get settings(): WatchSettings {
    return this.#settings;
  }

  /** What the configuration says, once it is known. */
  set settings(settings: WatchSettings) {
    this.#settings = settings;
    this.#post({ type: 'settings', settings });
  }

  /** Asked at every heartbeat what is live now; null: nothing. It must be cheap and must not throw. */
  set snapshot(source: () => Snapshot | null) {
    this.#snapshot = source;
  }

  /** The launcher as the guard of this daemon's lease. */
  get guard(): Guard {
    return {
      lease: ({ sentAt, freezeAt, killAt }) => this.tell({ type: 'lease', sentAt, freezeAt, killAt }),
      over: () => this.tell({ type: 'lease-over' }),
      listen: (listener) => this.#frozen.listen(listener),
    };
  }

  /** Rejects when it cannot be written, or the thread does not answer. */
  report(trigger: HangTrigger, agent: AgentFinding | null = null): Promise<HangSummary> {
    if (this.#dead) {
      return Promise.reject(new Error('the watchdog thread has ended'));
    }
    this.#tick();
    this.#asked += 1;
    const id = this.#asked;
    this.#post({ type: 'report', id, trigger, agent });
    const { promise, resolve, reject } = Promise.withResolvers<HangSummary>();
    const late = setTimeout(
      () => this.#waiting.get(id)?.fail(new Error('the watchdog thread does not answer')),
      reportDeadlineMs,
    );
    const over = (): void => {
      clearTimeout(late);
      this.#waiting.delete(id);
    };
    this.#waiting.set(id, {
      done: (report) => (over(), resolve(report)),
      fail: (error) => (over(), reject(error)),
    });
    return promise;
  }

  /** To the launcher, at once: it arrives even when the process ends in the next moment. */
  tell(message: FromDaemon): void {
    if (!this.#options.launched) {
      return;
    }
    try {
      writeSync(controlFd, `${JSON.stringify(message)}\n`);
    } catch {
      // The launcher is gone: the thread sees to that.
    }
  }

  async close(): Promise<void> {
    this.#dead = true;
    clearInterval(this.#heartbeat);
    this.#failAll(new Error('the watchdog is closed'));
    await this.#worker.terminate();
  }

  #tick(): void {
    this.#memory.heartbeat();
    const facts = this.#snapshot();
    if (facts === null && this.#empty) {
      return;
    }
    this.#empty = facts === null;
    this.#memory.writeSnapshot(facts ?? { sessions: [], waits: [], omitted: 0 });
  }

  #onThread(message: FromThread): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'ping':
        this.tell({ type: 'pong', at: monotonicMs() });
        return;
      case 'frozen':
        this.#frozen.onFrozen(message.since);
        return;
      case 'thawed':
        this.#frozen.onThawed(message.ms);
        return;
      case 'end':
        this.#options.onEnd?.(message.why);
        return;
      case 'look':
        this.#tick();
        this.#post({ type: 'looked' });
        return;
      case 'reported': {
        const waiting = this.#waiting.get(message.id);
        if (message.report !== null) {
          waiting?.done(message.report);
        } else {
          waiting?.fail(new Error(message.problem ?? 'no report'));
        }
        return;
      }
      case 'noticed':
        this.#options.onNoticed?.(message.report);
        return;
      case 'resumed':
        this.#options.onResumed?.(message.id, message.afterMs);
        return;
    }
  }

  #post(message: ToThread): void {
    if (!this.#dead) {
      this.#worker.postMessage(message);
    }
  }

  #died(error: Error): void {
    if (this.#dead) {
      return;
    }
    this.#dead = true;
    clearInterval(this.#heartbeat);
    this.#failAll(error);
    this.#options.onError?.(error, 'watchdog');
  }

  #failAll(error: Error): void {
    for (const waiting of this.#waiting.values()) {
      waiting.fail(error);
    }
  }
}
