/**
 * What an agent requests of its client: permissions, files, commands.
 *
 * Owned by the agent's handle, which gives it the turn that runs. Invariants:
 *  acp-client-requests/1 Every request is answered, once: an unknown one by -32601, one of another session by -32602.
 *  acp-client-requests/2 An option that holds for longer than this one request (`*_always`) is never chosen.
 *  acp-client-requests/3 A file is written and a command run for the agent only when the policy of the task allowed that in
 *                        this turn. Where the agent got that permission by itself, for this path or command, it holds; else
 *                        the policy is asked here. Outside of a turn both are refused.
 *  acp-client-requests/4 With an interrupt every open permission request ends as cancelled, and so does each that comes
 *                        before the turn's end.
 */
import { isAbsolute, resolve } from 'node:path';
import type { RequestedAction } from '../../core/model/permission.ts';
import { head, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { RpcCall, RpcError } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { AgentEvent } from '../port.ts';
import { commandLine, strongVariables, withVariables } from '../shared/command-line.ts';
import { judged } from '../shared/judge.ts';
import type { SessionSandbox } from '../sandbox/agent-sandbox.ts';
import { resolveInside } from './confine-path.ts';
import { type FileAnswer, Files } from './files.ts';
import type { AcpOptions } from './options.ts';
import { type Decision, answerOf } from './permissions.ts';
import type { Profile } from './profiles/profile.ts';
import { type Command, type Terminals, readCommand, terminalsFor } from './terminals.ts';
import type { Action } from './tools.ts';
import type { AcpTurn } from './turn.ts';
import { acpCodes, cancelledAnswer, toClient } from './wire.ts';

const titleMax = 4_000;

/** What is offered to the agent; null: it is not. */
interface Services {
  readonly readsFiles: Files | null;
  readonly writesFiles: Files | null;
  readonly terminals: Terminals | null;
}

const noServices: Services = { readsFiles: null, writesFiles: null, terminals: null };

/** `folder` null: the session has none. Then nothing is offered, since the daemon's own folder is not for agents. */
export function servicesFor(
  folder: string | null,
  sandbox: SessionSandbox | null,
  profile: Profile,
  options: AcpOptions,
): Services {
  if (folder === null) {
    return noServices;
  }
  const files = options.files === false ? null : new Files(folder, options.fileMaxBytes ?? 4_194_304);
  return {
    readsFiles: profile.files.read ? files : null,
    writesFiles: profile.files.write ? files : null,
    terminals: options.terminal === true ? terminalsFor(folder, sandbox, options) : null,
  };
}

interface ClientRequestsOptions {
  readonly folder: string;
  readonly services: Services;
  readonly session: () => string | null;
  readonly turn: () => AcpTurn | null;
  readonly emit: (event: AgentEvent) => void;
}

/** Something that is done for the agent once the policy allows it. */
interface PermittedWork {
  readonly ask: RequestedAction;
  readonly detail: object;
  /** That permission of the agent covers it. */
  readonly isCoveredBy: (allowed: Action) => boolean;
  readonly run: () => void;
}

type Serve = (call: RpcCall, params: Fields) => void;

export class ClientRequests {
  readonly #options: ClientRequestsOptions;

  constructor(options: ClientRequestsOptions) {
    this.#options = options;
  }

  /** A request of the agent; false: its method is not served. */
  take(call: RpcCall): boolean {
    const serve = this.#serveOf(call.method);
    if (serve === null) {
      return false;
    }
    const { params } = call;
    if (!isFields(params)) {
      call.error({ code: rpcCodes.invalidParams, message: 'params are missing' });
    } else if (textAt(params, 'sessionId') !== this.#options.session()) {
      call.error({ code: rpcCodes.invalidParams, message: 'no such session' });
    } else {
      serve(call, params);
    }
    return true;
  }

  /** `$/cancel_request`: the agent withdraws one. */
  withdraw(params: unknown): void {
    const id = isFields(params) ? params['requestId'] : undefined;
    const turn = this.#options.turn();
    if (turn === null || (typeof id !== 'string' && typeof id !== 'number')) {
      return;
    }
    const request = turn.permissionRequests.withdraw(id);
    if (request !== null) {
      this.#options.emit({ type: 'permission-withdrawn', turn: turn.id, request });
    }
  }

  #serveOf(method: string): Serve | null {
    const { readsFiles, writesFiles, terminals } = this.#options.services;
    switch (method) {
      case toClient.permission:
        return (call, params) => this.#permission(call, params);
      case toClient.readFile:
        return readsFiles === null ? null : (call, params) => answer(call, readsFiles.read(params));
      case toClient.writeFile:
        return writesFiles === null ? null : (call, params) => this.#write(writesFiles, call, params);
      default:
        return terminals === null ? null : this.#serveTerminal(method, terminals);
    }
  }

  #serveTerminal(method: string, terminals: Terminals): Serve | null {
    switch (method) {
      case toClient.createTerminal:
        return (call, params) => this.#run(terminals, call, params);
      case toClient.terminalOutput:
        return (call, params) => terminals.output(call, params);
      case toClient.waitForTerminal:
        return (call, params) => terminals.waitForExit(call, params);
      case toClient.killTerminal:
        return (call, params) => terminals.kill(call, params);
      case toClient.releaseTerminal:
        return (call, params) => terminals.release(call, params);
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
    const action = turn.requested(toolCall);
    this.#ask(turn, call, action.ask, params, (decision) => {
      const chosen = answerOf(params, decision);
      call.result(chosen ?? cancelledAnswer);
      if (decision === 'cancelled') {
        return;
      }
      if (chosen === null) {
        this.#emitSoon([turn.notice('permission', 'the agent offers no option for this request alone')]);
      } else if (decision.allow) {
        this.#emitSoon(turn.allow(toolCall, action));
      }
    });
  }

  #write(files: Files, call: RpcCall, params: Fields): void {
    const path = textAt(params, 'path') ?? '';
    const isSame = (allowed: string): boolean => resolve(this.#options.folder, allowed) === resolve(path);
    const ask = { kind: 'edit', tool: call.method, title: head(path, titleMax) } as const;
    this.#doAllowed(call, {
      ask: judged(ask, this.#options.folder, [path]),
      detail: { method: call.method, path, content: params['content'] },
      isCoveredBy: ({ kind, paths }) => kind === 'edit' && paths.some(isSame),
      run: () => answer(call, files.write(params)),
    });
  }

  #run(terminals: Terminals, call: RpcCall, params: Fields): void {
    const command = readCommand(params);
    if (command === null) {
      call.error({ code: rpcCodes.invalidParams, message: 'command, args or env are of the wrong kind' });
      return;
    }
    const { cwd, env } = command;
    const { folder } = this.#options;
    const line = commandLine([command.command, ...command.args]);
    const strong = strongVariables(env);
    const isPlain = Object.keys(strong).length === 0 && (cwd === null || resolve(cwd) === resolve(folder));
    this.#doAllowed(call, {
      ask: {
        kind: Object.keys(strong).length === 0 ? 'execute' : 'other',
        tool: call.method,
        title: head(withVariables(strong, line), titleMax),
      },
      detail: { method: call.method, command: line, argv: [command.command, ...command.args], env, cwd },
      isCoveredBy: (allowed) => isPlain && allowed.kind === 'execute' && allowed.command === line,
      run: () => void this.#start(terminals, call, command),
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

  #doAllowed(call: RpcCall, work: PermittedWork): void {
    const turn = this.#options.turn();
    if (turn === null || turn.cancelled) {
      call.error({ code: acpCodes.requestCancelled, message: 'no turn runs that it could be done for' });
    } else if (turn.allowed.some(work.isCoveredBy)) {
      work.run();
    } else {
      this.#ask(turn, call, work.ask, work.detail, (decision) => {
        if (decision !== 'cancelled' && decision.allow) {
          work.run();
        } else {
          call.error(refusal(decision));
        }
      });
    }
  }

  #ask(turn: AcpTurn, call: RpcCall, ask: RequestedAction, detail: object, settle: (decision: Decision) => void): void {
    const request = turn.permissionRequests.add(call.id, settle);
    this.#options.emit({ type: 'permission-requested', turn: turn.id, request, action: ask, detail });
  }

  /** Not from within the method of the handle that answered. */
  #emitSoon(events: readonly AgentEvent[]): void {
    queueMicrotask(() => events.forEach((event) => this.#options.emit(event)));
  }
}

function answer(call: RpcCall, done: Promise<FileAnswer>): void {
  void done.then((reply) => ('result' in reply ? call.result(reply.result) : call.error(reply.error)));
}

const refusal = (decision: Decision): RpcError =>
  decision === 'cancelled'
    ? { code: acpCodes.requestCancelled, message: 'the turn was cancelled' }
    : { code: rpcCodes.internal, message: `permission denied${decision.note === null ? '' : `: ${decision.note}`}` };
