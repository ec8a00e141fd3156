/**
 * An agent's process as a channel of JSON lines: what every driver of a program has in common.
 *
 * Owns: one child per channel, and its start deadline, which is in the list of pending waits. Owned by a driver's handle.
 * Invariants:
 *  json-lines/1 A message is written whole, within the call; a broken channel refuses it, and its end is on its way as
 *               `exited`.
 *  json-lines/2 A line that is not a JSON object becomes `output` of kind `raw`, bounded, and never throws here.
 *  json-lines/3 `exited` is emitted once and last, with the child's report as its data.
 *  json-lines/4 A program that is not ready in time is reported immediately, with its last words; its end follows.
 *  json-lines/5 `onBroken` comes within 50 ms of the program's end: whatever waits for an answer of it gives up there.
 *               `exited` comes when all that it left is gone, which may take longer.
 */
import type { ChannelBroken, ChildExit, ExitReason, LineFrame, SpawnOptions, Timers } from '../../supervise/index.ts';
import { type AgentChild, type Environment, commonVariables, pickEnvironment } from '../../supervise/index.ts';
import { realTimers, spawnAgent } from '../../supervise/index.ts';
import type { AgentEvent, AgentStart } from '../port.ts';
import { AwaitedStart } from './awaited-start.ts';
import { cutDepth, depthMax, mayBeDeep } from './depth.ts';
import { type Fields, isFields } from './fields.ts';

export { type Fields, isFields };

type Ladder = Pick<
  SpawnOptions,
  | 'nice'
  | 'lineMaxBytes'
  | 'writeMaxBytes'
  | 'closeGraceMs'
  | 'termGraceMs'
  | 'reapDeadlineMs'
  | 'settleQuietMs'
  | 'settleMaxMs'
>;

/**
 * Steps of niceness of agents below their daemon. Their weight is a third of its own then (sched(7): a factor of 1.25 a step),
 * so that it still answers beside some that burn all they get.
 */
export const agentNice = 5;

/** What a user may set for any agent that is a program; `nice` is `agentNice` where it is left out. */
export interface ProgramOptions extends Ladder {
  readonly command: string;
  readonly args?: readonly string[];
  /** Used where the session has no folder. */
  readonly cwd?: string;
  /** Variables set for the program; they win over those passed on. */
  readonly env?: Environment;
  /** Names of the daemon's own variables that are passed on. Default: `commonVariables`. */
  readonly passEnv?: readonly string[];
  /** From the spawn to `ready`; then the program is killed and `exited` says `start_timeout`. Default 30,000. */
  readonly startDeadlineMs?: number;
  /** Kept of a message that is not understood. Default 2,048. */
  readonly rawMaxLength?: number;
  /** The environment that `passEnv` picks from. Default: the daemon's. */
  readonly ambient?: Readonly<{ [name: string]: string | undefined }>;
  readonly timers?: Timers;
  /** Makes cookies, and ids of messages where a dialect needs them. Default: UUIDv4. */
  readonly ids?: () => string;
}

/** What is kept of a message that could not be understood. */
export interface RawData {
  readonly problem: string;
  /** The message, cut to the bound. */
  readonly text: string;
  /** Its length in UTF-16 units, or in bytes where only those were counted. */
  readonly length: number;
}

function raw(problem: string, text: string, maxLength: number, length = text.length): AgentEvent {
  const data: RawData = { problem, text: text.slice(0, maxLength), length };
  return { type: 'output', turn: null, part: { kind: 'raw', data } };
}

/** `line`: the message's own text, for what cannot be understood of it. */
type OnMessage = (message: Fields, line: string) => void;

export class JsonLines {
  readonly #child: AgentChild;
  readonly #emit: (event: AgentEvent) => void;
  readonly #onMessage: OnMessage;
  readonly #onExit: (exit: ChildExit) => void;
  readonly rawMaxLength: number;
  readonly #start: AwaitedStart;

  /** `onBroken`: to reject what waits (json-lines/5). `onExit` runs before `exited` is emitted, to release timers. */
  constructor(
    options: ProgramOptions,
    start: AgentStart,
    onMessage: OnMessage,
    onExit: (exit: ChildExit) => void = () => {},
    onBroken: (error: ChannelBroken) => void = () => {},
  ) {
    this.#emit = start.emit;
    this.#onMessage = onMessage;
    this.#onExit = onExit;
    this.rawMaxLength = options.rawMaxLength ?? 2_048;
    const cwd = start.folder ?? options.cwd;
    const { command, args = [] } = options;
    const given = {
      ...pickEnvironment(options.passEnv ?? commonVariables, options.ambient ?? process.env),
      ...options.env,
      ...start.env,
    };
    const { plan, env } = start.sandbox?.agent({ command, args, env: given }) ?? { plan: null, env: given };
    this.#child = spawnAgent({
      nice: agentNice,
      ...options,
      ...(cwd === undefined ? {} : { cwd }),
      ...(plan === null ? {} : { inSandbox: plan }),
      args,
      env,
      onProcess: start.onProcess,
      onFrame: (frame) => this.#onFrame(frame),
      onBroken,
      onExit: (exit) => this.#ended(exit),
    });
    this.#start = new AwaitedStart(
      this.#child,
      options.timers ?? realTimers,
      options.startDeadlineMs ?? 30_000,
      start.emit,
    );
  }

  /** The program's name and pid, for reports. */
  get label(): string {
    return this.#child.label;
  }

  /** False: the channel is broken or ended, and nothing was written. */
  write(message: object): boolean {
    return this.#child.writeLine(JSON.stringify(message));
  }

  /** The program has said that it is ready: the start deadline is over. */
  started(): void {
    this.#start.ready();
  }

  raw(problem: string, text: string): void {
    this.#emit(raw(problem, text, this.rawMaxLength));
  }

  close(): void {
    this.#child.close();
  }

  kill(cause?: ExitReason): void {
    this.#child.kill(cause);
  }

  #onFrame(frame: LineFrame): void {
    switch (frame.kind) {
      case 'line':
        if (frame.text !== '') {
          this.#read(frame.text);
        }
        return;
      case 'oversize':
        this.raw('line too long', frame.head);
        return;
      case 'resync':
        this.#emit(raw('line too long, skipped', '', this.rawMaxLength, frame.bytes));
        return;
      case 'half':
        this.raw('half a line, then the end', frame.text);
        return;
    }
  }

  #read(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.raw('not JSON', line);
      return;
    }
    if (isFields(message)) {
      if (mayBeDeep(line) && cutDepth(message)) {
        this.raw(`nested deeper than ${depthMax} levels, and cut there`, line);
      }
      this.#onMessage(message, line);
    } else {
      this.raw('not a JSON object', line);
    }
  }

  #ended(exit: ChildExit): void {
    this.#start.over();
    this.#onExit(exit);
    const { reason, ...data } = exit;
    this.#emit({ type: 'exited', reason, data });
  }
}
