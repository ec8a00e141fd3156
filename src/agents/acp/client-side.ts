/**
 * What an agent asks of its client: permissions, files, commands.
 *
 * Owns: the queue of files, and the commands that run for the agent. Owned by the agent's handle.
 * Invariants:
 *  K-1 Every request is answered, once: one that nobody knows by -32601, one of another session by -32602.
 *  K-2 An option that holds for longer than this one request (`*_always`) is never chosen.
 *  K-3 A file is written and a command run for the agent only when the policy of the task has allowed that: in this turn, for
 *      this path or command, when the agent itself has asked; else it is asked for here. Outside of a turn it is refused.
 *  K-4 With an interrupt every open question ends as cancelled, and so does each that comes before the turn's end.
 */
import { isAbsolute, resolve } from 'node:path';
import type { PermissionAsk } from '../../core/policy.ts';
import { head, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { RpcCall, RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { AgentEvent } from '../port.ts';
import type { Decision } from './asks.ts';
import type { FileAnswer, Files } from './files.ts';
import { resolveInside } from './inside.ts';
import type { Command, Terminals } from './terminals.ts';
import { readCommand } from './terminals.ts';
import type { AcpTurn } from './turn.ts';
import { acpCodes, cancelledAnswer, selectedAnswer, toClient } from './wire.ts';

const detailMax = 16_384;

export interface ClientSideOptions {
  readonly folder: string;
  /** Null: not offered. */
  readonly files: Files | null;
  readonly offered: { readonly read: boolean; readonly write: boolean };
  readonly terminals: Terminals | null;
  readonly session: () => string | null;
  readonly turn: () => AcpTurn | null;
  readonly tell: (event: AgentEvent) => void;
}

export class ClientSide {
  readonly #options: ClientSideOptions;

  constructor(options: ClientSideOptions) {
    this.#options = options;
  }

  /** A request of the agent; false: nobody knows it. */
  take(call: RpcCall): boolean {
    const work = this.#workOf(call.method);
    if (work === null) {
      return false;
    }
    const { params } = call;
    if (!isFields(params)) {
      call.error({ code: rpcCodes.invalidParams, message: 'params are missing' });
    } else if (textAt(params, 'sessionId') !== this.#options.session()) {
      call.error({ code: rpcCodes.invalidParams, message: 'no such session' });
    } else {
      work(call, params);
    }
    return true;
  }

  /** `$/cancel_request`: the agent does not ask any more. */
  takeBack(params: unknown): void {
    const id = isFields(params) ? params['requestId'] : undefined;
    const turn = this.#options.turn();
    if (turn === null || (typeof id !== 'string' && typeof id !== 'number')) {
      return;
    }
    const request = turn.asks.withdraw(id);
    if (request !== null) {
      this.#options.tell({ type: 'withdrawn', turn: turn.id, request });
    }
  }

  #workOf(method: string): ((call: RpcCall, params: Fields) => void) | null {
    const { files, offered, terminals } = this.#options;
    switch (method) {
      case toClient.permission:
        return (call, params) => this.#permission(call, params);
      case toClient.readFile:
        return files === null || !offered.read ? null : (call, params) => answer(call, files.read(params));
      case toClient.writeFile:
        return files === null || !offered.write ? null : (call, params) => this.#write(files, call, params);
      case toClient.createTerminal:
        return terminals === null ? null : (call, params) => this.#run(terminals, call, params);
      case toClient.terminalOutput:
        return terminals === null ? null : (call, params) => terminals.output(call, params);
      case toClient.waitForTerminal:
        return terminals === null ? null : (call, params) => terminals.waitForExit(call, params);
      case toClient.killTerminal:
        return terminals === null ? null : (call, params) => terminals.kill(call, params);
      case toClient.releaseTerminal:
        return terminals === null ? null : (call, params) => terminals.release(call, params);
      default:
        return null;
    }
  }

  #permission(call: RpcCall, params: Fields): void {
    const turn = this.#options.turn();
    const { toolCall } = params;
    if (turn === null || turn.cancelled) {
      call.result(cancelledAnswer);
      return;
    }
    if (!isFields(toolCall)) {
      call.error({ code: rpcCodes.invalidParams, message: 'toolCall is missing' });
      return;
    }
    const action = turn.tools.asked(toolCall);
    const request = turn.asks.add(call.id, (decision) => {
      const option = decision === 'cancelled' ? null : optionOf(listAt(params, 'options'), decision.allow);
      call.result(option === null ? cancelledAnswer : selectedAnswer(option));
      if (decision === 'cancelled' || (option !== null && !decision.allow)) {
        return;
      }
      if (option !== null) {
        turn.granted.push(action);
      }
      const events = option === null ? [turn.note('it offers no answer that holds once')] : turn.begun(toolCall);
      // This is within the method that has answered.
      queueMicrotask(() => events.forEach((event) => this.#options.tell(event)));
    });
    this.#options.tell({ type: 'asked', turn: turn.id, request, ask: action.ask, detail: bounded(params) });
  }

  #write(files: Files, call: RpcCall, params: Fields): void {
    const path = textAt(params, 'path') ?? '';
    const same = (granted: string): boolean => resolve(this.#options.folder, granted) === resolve(path);
    this.#permitted(call, {
      covered: (turn) => turn.granted.some(({ ask, paths }) => ask.kind === 'edit' && paths.some(same)),
      ask: { kind: 'edit', tool: call.method, title: head(path, 4_000) },
      detail: { method: call.method, path },
      go: () => answer(call, files.write(params)),
    });
  }

  #run(terminals: Terminals, call: RpcCall, params: Fields): void {
    const command = readCommand(params);
    if (command === null) {
      call.error({ code: rpcCodes.invalidParams, message: 'command, args or env are of the wrong kind' });
      return;
    }
    const line = [command.command, ...command.args].join(' ');
    this.#permitted(call, {
      covered: (turn) => turn.granted.some((granted) => granted.ask.kind === 'execute' && granted.command === line),
      ask: { kind: 'execute', tool: call.method, title: head(line, 4_000) },
      detail: { method: call.method, command: line, cwd: command.cwd },
      go: () => void this.#start(terminals, call, command),
    });
  }

  async #start(terminals: Terminals, call: RpcCall, command: Command): Promise<void> {
    const { folder } = this.#options;
    try {
      const cwd = command.cwd === null ? folder : await this.#folderInside(command.cwd);
      terminals.create(call, { ...command, cwd });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      call.error({ code: rpcCodes.invalidParams, message: `cwd: ${head(message, 500)}` });
    }
  }

  async #folderInside(cwd: string): Promise<string> {
    const { folder } = this.#options;
    if (isAbsolute(cwd) && resolve(cwd) === resolve(folder)) {
      return folder;
    }
    return (await resolveInside(folder, cwd)).file;
  }

  #permitted(
    call: RpcCall,
    what: {
      readonly covered: (turn: AcpTurn) => boolean;
      readonly ask: PermissionAsk;
      readonly detail: object;
      readonly go: () => void;
    },
  ): void {
    const turn = this.#options.turn();
    if (turn === null || turn.cancelled) {
      call.error({ code: acpCodes.requestCancelled, message: 'there is no turn for which it could be done' });
      return;
    }
    if (what.covered(turn)) {
      what.go();
      return;
    }
    const request = turn.asks.add(call.id, (decision) => {
      if (decision !== 'cancelled' && decision.allow) {
        what.go();
      } else {
        call.error(denial(decision));
      }
    });
    this.#options.tell({ type: 'asked', turn: turn.id, request, ask: what.ask, detail: bounded(what.detail) });
  }
}

function answer(call: RpcCall, work: Promise<FileAnswer>): void {
  void work.then((done) => ('result' in done ? call.result(done.result) : call.error(done.error)));
}

const denial = (decision: Decision): RpcError =>
  decision === 'cancelled'
    ? { code: acpCodes.requestCancelled, message: 'the turn was cancelled' }
    : { code: rpcCodes.internal, message: `permission denied${decision.note === null ? '' : `: ${decision.note}`}` };

/** Null: there is none that holds for this request alone, and none is better than one that holds on. */
function optionOf(options: readonly Fields[], allow: boolean): string | null {
  const kind = allow ? 'allow_once' : 'reject_once';
  const option = options.find((one) => one['kind'] === kind);
  return option === undefined ? null : textAt(option, 'optionId');
}

/** A diff of a large file stands in the request: its beginning is enough for a tape. */
function bounded(detail: object): unknown {
  const text = JSON.stringify(detail);
  return text.length <= detailMax ? detail : head(text, detailMax);
}
