/**
 * The watchdog thread of a daemon: the part of it that goes on when the main loop does not.
 *
 * Owns: the control socket to the launcher, the tick, the reports. Reads the memory that it shares with the main thread; never
 * waits for it longer than `lookMs`. Invariants:
 *  watchdog-thread/1 When the control socket ends, everything that carries the daemon's cookie is killed, then the daemon,
 *                    at once: the launcher is gone, and nobody else would end them.
 *  watchdog-thread/2 A blocked main loop is reported within its threshold and one tick; standing still together with it is
 *                    no block.
 *  watchdog-thread/3 A stopped launcher (Ctrl-Z) is not a dead one: its silence alone ends nothing.
 */
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../guard/clock.ts';
import { LineSplitter } from '../channel/lines.ts';
import { killDaemonProcessesNow } from '../process/leftovers.ts';
import type { FromDaemon, ToDaemon } from '../launcher/control-messages.ts';
import { read } from '../launcher/control-messages.ts';
import type { DetectState } from './detect.ts';
import { detect, detectStart } from './detect.ts';
import { MemoryReader } from './shared-memory.ts';
import { quietMs, Reporter } from './reporter.ts';
import type { FromThread, ThreadData, ToThread, WatchSettings } from './thread-messages.ts';

const tickMs = 250;
/** The launcher is told of the main loop's silence so often. */
const ticksPerBeat = 4;
/** A main loop that runs has written down by then what is live now; one that does not is reported with what it wrote last. */
const lookMs = 500;

class Thread {
  readonly #data: ThreadData;
  readonly #memory: MemoryReader;
  readonly #reporter: Reporter;
  readonly #socket: Socket | null;
  #settings: WatchSettings;
  #state: DetectState = detectStart(performance.now());
  #ticks = 0;
  #launcherAt = performance.now();
  #looking: (() => void)[] = [];

  constructor(data: ThreadData) {
    this.#data = data;
    this.#settings = data.settings;
    this.#memory = new MemoryReader(data.memory);
    const { folder, version, settings, control } = data;
    const launcherMs = (): number | null =>
      control === null ? null : Math.round(performance.now() - this.#launcherAt);
    this.#reporter = new Reporter({ memory: this.#memory, folder, version, settings, launcherMs });
    this.#socket = control === null ? null : this.#listen(control);
    setInterval(() => this.#tick(), tickMs);
    parentPort?.on('message', (message: ToThread) => this.#onMain(message));
    this.#toMain({ type: 'ready' });
  }

  #listen(fd: number): Socket {
    const { Socket: NetSocket } = process.getBuiltinModule('node:net');
    const socket = new NetSocket({ fd, readable: true, writable: true });
    const lines = new LineSplitter(64 * 1024, (frame) => {
      const message = frame.kind === 'line' ? read<ToDaemon>(frame.text) : null;
      if (message !== null) {
        this.#onLauncher(message);
      }
    });
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#orphaned());
    return socket;
  }

  #orphaned(): void {
    const { daemonId } = this.#data;
    if (daemonId !== null) {
      killDaemonProcessesNow(daemonId);
    }
    process.kill(process.pid, 'SIGKILL');
  }

  #tick(): void {
    const { hangMs } = this.#settings;
    const found = detect({ hangMs, tickMs }, this.#state, performance.now(), this.#memory.lagMs);
    this.#state = found.state;
    if (found.change === 'blocked') {
      void this.#notice();
    }
    if (found.change === 'resumed') {
      void this.#complete();
    }
    this.#ticks += 1;
    if (this.#ticks % ticksPerBeat === 0) {
      this.#toLauncher({ type: 'heartbeat', lagMs: this.#memory.lagMs, at: monotonicMs() });
    }
  }

  async #notice(): Promise<void> {
    try {
      const report = await this.#reporter.take({ trigger: 'watch', agent: null, blocked: true });
      this.#reporter.tell(report);
      this.#toMain({ type: 'noticed', report });
    } catch {
      // It was said on standard error.
    }
  }

  async #complete(): Promise<void> {
    try {
      const ended = await this.#reporter.resumed();
      if (ended !== null) {
        this.#toMain({ type: 'resumed', ...ended });
      }
    } catch {
      // As above.
    }
  }

  #onMain(message: ToThread): void {
    switch (message.type) {
      case 'settings':
        this.#settings = message.settings;
        this.#reporter.settings = message.settings;
        return;
      case 'looked':
        for (const looked of this.#looking.splice(0)) {
          looked();
        }
        return;
      case 'report':
        this.#report({ trigger: message.trigger, agent: message.agent }, (answer) =>
          this.#toMain({ type: 'reported', id: message.id, ...answer }),
        );
        return;
    }
  }

  #onLauncher(message: ToDaemon): void {
    this.#launcherAt = performance.now();
    switch (message.type) {
      case 'heartbeat':
        return;
      case 'ping':
      case 'frozen':
      case 'thawed':
        this.#toMain(message);
        return;
      case 'end':
        this.#toMain({ type: 'end', why: message.why });
        return;
      case 'report':
        void this.#look().then(() =>
          this.#report({ trigger: message.trigger, agent: null }, (answer) =>
            this.#toLauncher({ type: 'reported', id: message.id, ...answer }),
          ),
        );
        return;
    }
  }

  /** Resolves when the main loop has written down what is live now, or seems to stand still. */
  #look(): Promise<void> {
    if (this.#memory.lagMs >= quietMs) {
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(resolve, lookMs);
    this.#looking.push(() => {
      clearTimeout(late);
      resolve();
    });
    this.#toMain({ type: 'look' });
    return promise;
  }

  #report(
    asked: Parameters<Reporter['take']>[0],
    answer: (answer: Pick<Extract<FromDaemon, { type: 'reported' }>, 'report' | 'problem'>) => void,
  ): void {
    this.#reporter.take(asked).then(
      (report) => answer({ report, problem: null }),
      (error: unknown) => answer({ report: null, problem: error instanceof Error ? error.message : String(error) }),
    );
  }

  #toLauncher(message: FromDaemon): void {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  #toMain(message: FromThread): void {
    parentPort?.postMessage(message);
  }
}

if (parentPort !== null) {
  new Thread(workerData as ThreadData);
}
