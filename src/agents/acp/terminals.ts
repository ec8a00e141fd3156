/**
 * `terminal/*` for one agent: commands that run for it, where that is configured.
 *
 * Owns: the commands' process groups, each with the kill ladder and a cookie like every child of ours.
 * Invariants:
 *  acp-terminals/1 A command runs in the session's folder, or below, with the environment of its agent and what the request
 *                  adds, and in the sandbox of its agent.
 *  acp-terminals/2 At most `max` commands run, and eight times as many are remembered until they are released. Of each
 *                  output the last `maxBytes` are kept, from a whole character on.
 *  acp-terminals/3 No command outlives its agent: `end` kills all that run and calls back when the last one is reaped.
 *  acp-terminals/4 Every wait is answered: with the command's end, or by `release`.
 */
import { numberAt, textAt } from '../child/fields.ts';
import { type Fields, agentNice, isFields } from '../child/json-lines.ts';
import type { RpcCall } from '../child/json-rpc.ts';
import { rpcCodes } from '../child/json-rpc.ts';
import type { AgentChild, ChildExit, Environment, SpawnOptions } from '../../supervise/index.ts';
import { commonVariables, pickEnvironment, spawnAgent } from '../../supervise/index.ts';
import type { AcpOptions } from './options.ts';
import type { SessionSandbox } from '../sandbox/agent-sandbox.ts';
import { acpCodes } from './wire.ts';

interface TerminalsOptions {
  readonly folder: string;
  readonly sandbox: SessionSandbox | null;
  readonly env: Environment;
  readonly max: number;
  readonly maxBytes: number;
  /** Of every command. */
  readonly spawn: Pick<SpawnOptions, 'ids' | 'timers' | 'nice' | 'termGraceMs' | 'reapDeadlineMs'>;
}

/** A checked request to run something. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  /** As requested; the caller checks that it is inside of the folder. */
  readonly cwd: string | null;
  readonly maxBytes: number | null;
}

interface Terminal {
  readonly child: AgentChild;
  readonly tail: Tail;
  readonly waits: RpcCall[];
  exit: ChildExit | null;
}

/** Null: a member is missing or of the wrong kind. */
export function readCommand(params: Fields): Command | null {
  const command = textAt(params, 'command');
  const { args = [], env = [] } = params;
  if (command === null || command === '' || !Array.isArray(args) || !Array.isArray(env)) {
    return null;
  }
  if (!args.every((arg) => typeof arg === 'string')) {
    return null;
  }
  const set: { [name: string]: string } = {};
  for (const one of env) {
    const [name, value] = isFields(one) ? [textAt(one, 'name'), textAt(one, 'value')] : [null, null];
    if (name === null || value === null) {
      return null;
    }
    set[name] = value;
  }
  return { command, args, env: set, cwd: textAt(params, 'cwd'), maxBytes: numberAt(params, 'outputByteLimit') };
}

/** Commands have the environment of their agent, and their own cookie: the end of a command must not look like the agent's. */
export function terminalsFor(folder: string, sandbox: SessionSandbox | null, options: AcpOptions): Terminals {
  const { passEnv = commonVariables, ambient = process.env, env, ids, timers, termGraceMs, reapDeadlineMs } = options;
  const { nice = agentNice } = options;
  return new Terminals({
    folder,
    sandbox,
    env: { ...pickEnvironment(passEnv, ambient), ...env },
    max: options.terminalsMax ?? 8,
    maxBytes: options.terminalMaxBytes ?? 1_048_576,
    spawn: {
      nice,
      ...(ids === undefined ? {} : { ids }),
      ...(timers === undefined ? {} : { timers }),
      ...(termGraceMs === undefined ? {} : { termGraceMs }),
      ...(reapDeadlineMs === undefined ? {} : { reapDeadlineMs }),
    },
  });
}

export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #terminals = new Map<string, Terminal>();
  #last = 0;
  #running = 0;
  #ended: (() => void) | null = null;

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  create(call: RpcCall, asked: Command): void {
    const { max } = this.#options;
    if (this.#ended !== null || this.#running >= max || this.#terminals.size >= 8 * max) {
      const message = `too many terminals: ${this.#running} run, ${this.#terminals.size} are not released`;
      call.error({ code: rpcCodes.internal, message });
      return;
    }
    this.#last += 1;
    const id = `terminal-${this.#last}`;
    const { folder, sandbox, maxBytes, spawn } = this.#options;
    const wanted = asked.maxBytes;
    const tail = new Tail(wanted === null || wanted < 0 ? maxBytes : Math.min(wanted, maxBytes));
    const { command, args } = asked;
    const given = { ...this.#options.env, ...asked.env };
    const { plan, env } = sandbox?.command({ command, args, env: given }) ?? { plan: null, env: given };
    const child = spawnAgent({
      ...spawn,
      ...(plan === null ? {} : { inSandbox: plan }),
      command,
      args,
      cwd: asked.cwd ?? folder,
      env,
      input: 'none',
      onFrame: () => {},
      onBytes: (chunk) => tail.push(chunk),
      onExit: (exit) => this.#exited(id, exit),
    });
    this.#running += 1;
    this.#terminals.set(id, { child, tail, waits: [], exit: null });
    call.result({ terminalId: id });
  }

  output(call: RpcCall, params: Fields): void {
    const terminal = this.#find(call, params);
    if (terminal === null) {
      return;
    }
    const { tail, exit } = terminal;
    call.result({
      output: tail.text(),
      truncated: tail.truncated,
      ...(exit === null ? {} : { exitStatus: statusOf(exit) }),
    });
  }

  waitForExit(call: RpcCall, params: Fields): void {
    const terminal = this.#find(call, params);
    if (terminal === null) {
      return;
    }
    if (terminal.exit === null) {
      terminal.waits.push(call);
    } else {
      call.result(statusOf(terminal.exit));
    }
  }

  kill(call: RpcCall, params: Fields): void {
    const terminal = this.#find(call, params);
    if (terminal === null) {
      return;
    }
    terminal.child.kill();
    call.result({});
  }

  /** Kills it if it runs; its name is free afterwards. `end` still waits for it. */
  release(call: RpcCall, params: Fields): void {
    const terminal = this.#find(call, params);
    if (terminal === null) {
      return;
    }
    terminal.child.kill();
    this.#terminals.delete(textAt(params, 'terminalId') ?? '');
    for (const wait of terminal.waits.splice(0)) {
      wait.error({ code: acpCodes.notFound, message: 'the terminal was released' });
    }
    call.result({});
  }

  /** The agent is gone. `ended` is called once, when no command is left. */
  end(ended: () => void): void {
    this.#ended = ended;
    for (const { child } of this.#terminals.values()) {
      child.kill();
    }
    if (this.#running === 0) {
      ended();
    }
  }

  #exited(id: string, exit: ChildExit): void {
    this.#running -= 1;
    const terminal = this.#terminals.get(id);
    if (terminal !== undefined) {
      terminal.exit = exit;
      // The agent looks into the output for the reason.
      if (exit.reason === 'spawn_failed') {
        terminal.tail.push(Buffer.from(`${exit.message ?? ''}\n${exit.hint ?? ''}\n`));
      }
      for (const wait of terminal.waits.splice(0)) {
        wait.result(statusOf(exit));
      }
    }
    if (this.#running === 0) {
      this.#ended?.();
    }
  }

  #find(call: RpcCall, params: Fields): Terminal | null {
    const terminal = this.#terminals.get(textAt(params, 'terminalId') ?? '') ?? null;
    if (terminal === null) {
      call.error({ code: acpCodes.notFound, message: 'no such terminal' });
    }
    return terminal;
  }
}

/** A command that could not be started has the exit code that shells use for it. */
const statusOf = ({ reason, code, signal }: ChildExit): object => ({
  exitCode: reason === 'spawn_failed' ? 127 : code,
  signal,
});

/** The last bytes of a stream, as text from a whole character on. */
class Tail {
  readonly #max: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  truncated = false;

  constructor(max: number) {
    this.#max = max;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joined only now and then, so that the cost stays linear in the input.
    if (this.#bytes > 2 * this.#max + 65_536) {
      this.#cut();
    }
  }

  text(): string {
    this.#cut();
    return (this.#chunks[0] ?? Buffer.alloc(0)).toString('utf8');
  }

  #cut(): void {
    const all = Buffer.concat(this.#chunks);
    let from = Math.max(0, all.length - this.#max);
    this.truncated ||= from > 0;
    // Bytes 10xxxxxx continue a character.
    while (from > 0 && from < all.length && ((all[from] ?? 0) & 0xc0) === 0x80) {
      from += 1;
    }
    // A copy, since a slice would keep the whole buffer alive.
    const kept = from === 0 ? all : Buffer.from(all.subarray(from));
    this.#chunks = [kept];
    this.#bytes = kept.length;
  }
}
