/**
 * Driver for programs that speak the agent protocol (docs/agent-protocol.md).
 *
 * Owns: one child per handle, and the wait for its start. Messages out: `ToAgent`, one line each, written within the call.
 * Messages in: `FromAgent`, mapped to the port by `parseLine`.
 * Invariants:
 *  P-1 Nothing of what the program says can throw here; what is not understood becomes `raw`.
 *  P-2 `ready` is passed on once, and `started` once and only for the turn that was prompted last.
 *  P-3 Every event but `exited` comes before it; the child calls `onExit` last and once (C-1).
 */
import type { TurnId } from '../../core/ids.ts';
import type { AgentChild, ChildExit, LineFrame } from '../../supervise/index.ts';
import { commonVariables, pickEnvironment, realTimers, spawnAgent } from '../../supervise/index.ts';
import { AwaitedStart } from '../child/awaited-start.ts';
import { type ProgramOptions, raw } from '../child/json-lines.ts';
import type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from '../port.ts';
import type { ToAgent } from './wire.ts';
import { parseLine, protocolVersion } from './wire.ts';

export interface ProcessDriverOptions extends ProgramOptions {
  /** Shown in `explain` and on tapes. Default: `process`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
}

export function processDriver(options: ProcessDriverOptions): AgentDriver {
  return {
    name: options.name ?? 'process',
    provider: options.provider ?? options.name ?? 'process',
    start: (start) => new ProcessAgent(options, start),
  };
}

class ProcessAgent implements AgentHandle {
  readonly #child: AgentChild;
  readonly #emit: (event: AgentEvent) => void;
  readonly #rawMaxLength: number;
  readonly #start: AwaitedStart;
  #ready = false;
  /** The turn that was prompted last and has not been confirmed. */
  #unconfirmed: TurnId | null = null;

  constructor(options: ProcessDriverOptions, start: AgentStart) {
    this.#emit = start.emit;
    this.#rawMaxLength = options.rawMaxLength ?? 2_048;
    const cwd = start.folder ?? options.cwd;
    this.#child = spawnAgent({
      ...options,
      ...(cwd === undefined ? {} : { cwd }),
      args: options.args ?? [],
      env: { ...pickEnvironment(options.passEnv ?? commonVariables, options.ambient ?? process.env), ...options.env },
      onProcess: start.onProcess,
      onFrame: (frame) => this.#onFrame(frame),
      onExit: (exit) => this.#onExit(exit),
    });
    const { session, incarnation, conversation, model } = start;
    this.#write({ type: 'start', protocol: protocolVersion, session, incarnation, conversation, model });
    this.#start = new AwaitedStart(
      this.#child,
      options.timers ?? realTimers,
      options.startDeadlineMs ?? 30_000,
      start.emit,
    );
  }

  prompt(turn: TurnId, text: string, { rewind }: { readonly rewind: TurnId | null }): void {
    this.#unconfirmed = turn;
    this.#write({ type: 'prompt', turn, text, ...(rewind === null ? {} : { rewind }) });
  }

  interrupt(turn: TurnId): void {
    this.#write({ type: 'interrupt', turn });
  }

  steer(turn: TurnId, id: string, text: string): void {
    this.#write({ type: 'steer', turn, id, text });
  }

  answer(turn: TurnId, request: string, decision: { readonly allow: boolean; readonly note: string | null }): void {
    this.#write({ type: 'answer', turn, request, ...decision });
  }

  switchModel(model: string | null): void {
    this.#write({ type: 'model', model });
  }

  close(): void {
    this.#write({ type: 'close' });
    this.#child.close();
  }

  kill(): void {
    this.#child.kill();
  }

  #write(message: ToAgent): void {
    // A broken channel refuses; its end is on its way as `exited`.
    this.#child.writeLine(JSON.stringify(message));
  }

  #onFrame(frame: LineFrame): void {
    const max = this.#rawMaxLength;
    switch (frame.kind) {
      case 'line':
        if (frame.text !== '') this.#pass(parseLine(frame.text, max), frame.text);
        return;
      case 'oversize':
        this.#emit(raw('line too long', frame.head, max));
        return;
      case 'resync':
        this.#emit(raw('line too long, skipped', '', max, frame.bytes));
        return;
      case 'half':
        this.#emit(raw('half a line, then the end', frame.text, max));
        return;
    }
  }

  #pass(event: AgentEvent, line: string): void {
    if (event.type === 'ready') {
      if (this.#ready) {
        this.#emit(raw('ready came twice', line, this.#rawMaxLength));
        return;
      }
      this.#ready = true;
      this.#start.ready();
    }
    if (event.type === 'started') {
      if (event.turn !== this.#unconfirmed) {
        this.#emit(raw('started: not the turn that was prompted, or twice', line, this.#rawMaxLength));
        return;
      }
      this.#unconfirmed = null;
    }
    this.#emit(event);
  }

  #onExit(exit: ChildExit): void {
    this.#start.over();
    const { reason, ...data } = exit;
    this.#emit({ type: 'exited', reason, data });
  }
}
