/**
 * One worker thread as a handle of the port.
 *
 * Owns: the thread, the steps of its end, and the watch on how busy it is.
 * Invariants:
 *  worker-agent/1 `exited` is emitted once and last: when the thread has ended, or when it did not end within the deadline.
 *                 Such a thread is abandoned: it stays in the driver's list by its name until it ends after all, its
 *                 messages are ignored, and the process goes on.
 *  worker-agent/2 A deadline races the forced end: `terminate()` never resolves for a thread that is stuck in the system.
 *  worker-agent/3 Messages are handled in the order in which they were sent; none after `exited`.
 *  worker-agent/4 Whether the thread is busy is read from outside, as its event loop's utilization: the thread need not
 *                 answer.
 */
import { Worker } from 'node:worker_threads';
import type { TurnId } from '../../core/model/ids.ts';
import type { Timers } from '../../supervise/index.ts';
import { commonVariables, pendingWaits, pickEnvironment, realTimers } from '../../supervise/index.ts';
import { ByteTail } from '../../supervise/process/byte-tail.ts';
import type { RawData } from '../child/json-lines.ts';
import { type ErrorRecord, errorRecord } from '../shared/error-record.ts';
import type { AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import { notice } from '../shared/parts.ts';
import { BusyWatch } from './busy-watch.ts';
import type { AbandonedThread, WorkerDriverOptions } from './options.ts';
import type { FromThread, ThreadStart, ToThread } from './wire.ts';

/** Data of the thread's `exited`. */
export interface ThreadExit {
  readonly abandoned: boolean;
  /** Its exit code; null: it was never started, or is abandoned. */
  readonly code: number | null;
  /** `kill`: it was ended by force. */
  readonly rung: 'close' | 'kill' | null;
  /** The last 16 KiB of what it wrote to stdout and stderr. */
  readonly stderr: string;
  /** An uncaught error. */
  readonly error: ErrorRecord | null;
  readonly message: string | null;
  readonly hint: string | null;
}

/** Beside this file: `thread.ts` when run from sources, `thread.js` when built. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
const outputTailBytes = 16 * 1024;

type Options = WorkerDriverOptions & { readonly name: string };

/** What is known of the end before it has come. */
interface Ending {
  reason: string | null;
  rung: ThreadExit['rung'];
  error: ErrorRecord | null;
  message: string | null;
  hint: string | null;
}

/** Threads of this process so far. The system cuts names to 15 bytes, so the number comes first. */
let threads = 0;

export class WorkerAgent implements AgentHandle {
  readonly threadName = `w${(threads += 1)} `;
  readonly #options: Options;
  readonly #start: AgentStart;
  readonly #abandoned: Set<AbandonedThread>;
  readonly #label: string;
  readonly #timers: Timers;
  readonly #output = new ByteTail(outputTailBytes);
  readonly #busy: BusyWatch;
  readonly #ending: Ending = { reason: null, rung: null, error: null, message: null, hint: null };
  #worker: Worker | null = null;
  /** `terminate()` has been called. */
  #forced = false;
  #over = false;
  #cancelStart = (): void => {};
  #cancelRung = (): void => {};

  constructor(options: Options, abandoned: Set<AbandonedThread>, start: AgentStart) {
    this.#options = options;
    this.#start = start;
    this.#abandoned = abandoned;
    this.#label = `${options.name} ${start.session} #${start.incarnation}`;
    this.#timers = options.timers ?? realTimers;
    this.#busy = new BusyWatch(this.#timers, options.busyNoticeMs ?? 10_000, (turn, forMs) => {
      const message = `the thread has been busy for ${Math.round(forMs / 1_000)} s without a pause`;
      this.#emit({ type: 'output', turn, part: notice('busy', message) });
    });
    if (abandoned.size < (options.abandonedMax ?? 4)) {
      this.#begin();
      return;
    }
    const names = [...abandoned].map(({ name }) => name).join(', ');
    this.#failStart(`too many threads could not be ended: ${names}`, 'Restart the daemon, which ends them.');
  }

  prompt(turn: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    this.#post({ type: 'prompt', turn, text, rewind });
    if (this.#worker !== null && this.#ending.reason === null) {
      this.#busy.begin(turn, this.#worker.performance);
    }
  }

  interrupt(turn: TurnId): void {
    this.#post({ type: 'interrupt', turn });
  }

  steer(turn: TurnId, id: string, text: string): void {
    this.#post({ type: 'steer', turn, id, text });
  }

  respond(
    turn: TurnId,
    request: string,
    { allow, note }: { readonly allow: boolean; readonly note: string | null },
  ): void {
    this.#post({ type: 'respond', turn, request, allow, note });
  }

  switchModel(model: string | null): void {
    this.#post({ type: 'model', model });
  }

  close(): void {
    if (this.#worker === null || this.#ending.reason !== null) {
      return;
    }
    this.#post({ type: 'close' });
    this.#ending.reason = 'closed';
    this.#ending.rung = 'close';
    this.#cancelRung = this.#timers.set(this.#options.closeGraceMs ?? 2_000, () => this.#force());
  }

  kill(): void {
    if (this.#worker === null) {
      return;
    }
    this.#ending.reason ??= 'killed';
    this.#force();
  }

  #begin(): void {
    const {
      module,
      exported = 'default',
      env,
      passEnv,
      ambient,
      resourceLimits,
      startDeadlineMs = 10_000,
    } = this.#options;
    const { session, incarnation, conversation, model } = this.#start;
    const workerData: ThreadStart = { module, exported, session, incarnation, conversation, model };
    try {
      this.#worker = new Worker(threadFile, {
        name: `${this.threadName}${this.#label}`,
        workerData,
        // A separate list, never the daemon's environment: that holds tokens and secrets.
        env: { ...pickEnvironment(passEnv ?? commonVariables, ambient ?? process.env), ...env },
        argv: [],
        execArgv: ['--no-warnings'],
        stdout: true,
        stderr: true,
        ...(resourceLimits === undefined ? {} : { resourceLimits }),
      });
    } catch (error) {
      const { name, message } = errorRecord(error);
      this.#failStart(`the thread could not be started: ${name}: ${message}`, 'The system may have too many threads.');
      return;
    }
    this.#listen(this.#worker);
    const wait = { owner: this.#label, name: 'agent ready', deadlineMs: startDeadlineMs };
    const endWait = pendingWaits.add(wait);
    const cancel = this.#timers.set(startDeadlineMs, () => {
      endWait();
      this.#ending.reason ??= 'start_timeout';
      this.#force();
    });
    this.#cancelStart = () => {
      endWait();
      cancel();
    };
  }

  #listen(worker: Worker): void {
    worker.on('message', (message: FromThread) => this.#take(message));
    worker.on('messageerror', ({ message: text }) => {
      const data: RawData = { problem: 'a message could not be read', text, length: text.length };
      this.#emit({ type: 'output', turn: null, part: { kind: 'raw', data } });
    });
    worker.on('error', (error) => {
      this.#ending.error ??= errorRecord(error);
    });
    worker.on('exit', (code) => {
      this.#ending.reason ??= code === 0 ? 'exited' : 'crashed';
      this.#finish(false, code);
    });
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.on('data', (chunk: Buffer | string) => this.#output.push(Buffer.from(chunk)));
    }
  }

  #take(message: FromThread): void {
    switch (message.type) {
      case 'event':
        this.#pass(message.event);
        return;
      case 'mark':
        this.#worker?.postMessage({ type: 'handled', mark: message.mark } satisfies ToThread);
        return;
      case 'crashed':
        this.#ending.error = message.error;
        return;
      case 'unloadable': {
        const { name, message: text } = message.error;
        this.#ending.reason ??= 'spawn_failed';
        this.#ending.error = message.error;
        this.#ending.message = `${this.#options.module}: ${name}: ${text}`;
        this.#ending.hint = 'Run `node` with the module, which shows the same error.';
        this.#terminate();
        return;
      }
    }
  }

  #pass(event: AgentEvent): void {
    if (event.type === 'exited') {
      // The function has ended, or was abandoned in its thread: the thread is not needed any more.
      this.#terminate();
      return;
    }
    if (event.type === 'ready') {
      this.#cancelStart();
    }
    if (event.type === 'result') {
      this.#busy.end();
    }
    this.#emit(event);
  }

  /** A thread that has ended ignores everything; its end is on its way as `exited`. */
  #post(message: ToThread): void {
    if (this.#ending.reason === null) {
      this.#worker?.postMessage(message);
    }
  }

  #force(): void {
    if (this.#forced || this.#over) {
      return;
    }
    this.#ending.rung = 'kill';
    this.#terminate();
  }

  /** Ends the thread, and abandons it if that takes too long. */
  #terminate(): void {
    const worker = this.#worker;
    if (worker === null || this.#forced || this.#over) {
      return;
    }
    this.#forced = true;
    this.#cancelRung();
    this.#cancelRung = this.#timers.set(this.#options.terminateDeadlineMs ?? 1_000, () => this.#abandon(worker));
    worker.terminate().catch(() => {});
  }

  #abandon(worker: Worker): void {
    const thread: AbandonedThread = { name: this.#label, since: performance.now() };
    this.#abandoned.add(thread);
    const endWait = pendingWaits.add({ owner: this.#label, name: 'end of an abandoned thread', deadlineMs: null });
    worker.removeAllListeners();
    worker.unref();
    // An error event without a listener would end the daemon.
    worker.on('error', () => {});
    worker.once('exit', () => {
      this.#abandoned.delete(thread);
      endWait();
    });
    this.#ending.message = `the thread ${this.#label} could not be ended: it is stuck in the system`;
    this.#ending.hint = 'It runs until its system call returns. Restart the daemon to end it at once.';
    this.#finish(true, null);
  }

  /** Nothing is emitted from within the start. */
  #failStart(message: string, hint: string): void {
    Object.assign(this.#ending, { reason: 'spawn_failed', message, hint });
    queueMicrotask(() => this.#finish(false, null));
  }

  #finish(abandoned: boolean, code: number | null): void {
    if (this.#over) {
      return;
    }
    this.#cancelStart();
    this.#cancelRung();
    this.#busy.end();
    const { reason, ...known } = this.#ending;
    const data: ThreadExit = { abandoned, code, stderr: this.#output.text(), ...known };
    this.#emit({ type: 'exited', reason: reason ?? 'crashed', data });
    this.#over = true;
  }

  #emit(event: AgentEvent): void {
    if (!this.#over) {
      this.#start.emit(event);
    }
  }
}
