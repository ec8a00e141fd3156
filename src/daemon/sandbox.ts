/**
 * The sandbox of a daemon's agents: whether this machine has one, and a driver whose agents run in it, or say that they do not.
 *
 *  daemon-sandbox/1 Whether there is one is tried once, when the daemon starts, by a program that runs in it. Where it is required and was
 *                   missing, it is tried again at each start of an agent, so that tasks wait only as long as it is missing.
 *  daemon-sandbox/2 An agent that runs without the sandbox that `auto` asks for says so on the tape of its session, each time it starts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentDescriptor } from '../agents/descriptor.ts';
import type { ConversationFile, ConversationPlace } from '../agents/conversation-file.ts';
import type { AgentDriver, AgentStart } from '../agents/port.ts';
import { AgentSandbox, type HomeNeeds } from '../agents/sandbox/agent-sandbox.ts';
import { systemMounts } from '../agents/sandbox/programs.ts';
import { notice } from '../agents/shared/parts.ts';
import { AppError } from '../core/errors.ts';
import { type AgentConfig, defaultMaxProcesses, type SandboxMode } from '../protocol/config.ts';
import { type Network, pickEnvironment, probeBubblewrap, removeLeftGroups } from '../supervise/index.ts';
import { type Asked, askVersion, type Environment, findProgram } from './find-program.ts';

const command = 'bwrap';
const install = 'Install it: apt-get install bubblewrap';

/** What this machine has. */
export type FoundSandbox =
  | { readonly kind: 'found'; readonly file: string }
  | { readonly kind: 'lacking'; readonly why: string; readonly fix: string };

/** Takes some 10 ms, in which this thread waits. */
export function findSandbox(env: Environment, network: Network = 'all'): FoundSandbox {
  if (process.platform !== 'linux') {
    return {
      kind: 'lacking',
      why: `there is no sandbox for ${process.platform} yet`,
      fix: 'Run Signalbox in a container, or on Linux.',
    };
  }
  const file = findProgram(command, env, '/');
  if (file === null) {
    return { kind: 'lacking', why: 'bubblewrap is not installed', fix: install };
  }
  const problem = probeBubblewrap({ bubblewrap: file, network, mounts: systemMounts() });
  return problem === null
    ? { kind: 'found', file }
    : {
        kind: 'lacking',
        why: `bubblewrap does not work here: ${problem}`,
        fix: 'docs/sandbox.md lists what it needs of the system, and of a container.',
      };
}

interface AskInSandbox {
  readonly bubblewrap: string;
  /** What the configuration makes visible. */
  readonly readable: readonly string[];
  readonly env: Environment;
  readonly deadlineMs: number;
}

/** Asks a program for its version in a sandbox with an empty home: whether all that it consists of is visible there. */
export async function askInSandbox(file: string, options: AskInSandbox): Promise<Asked> {
  const { bubblewrap, readable, env, deadlineMs } = options;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-doctor-'));
  try {
    const nothing = { writable: [], files: [], folders: [], limits: { processes: null, memoryBytes: null } };
    const sandbox = new AgentSandbox({ bubblewrap, dataFolder: folder, network: 'none', readable, ...nothing });
    const { agent: enclose } = sandbox.open({ session: 'doctor', folder: null });
    return await askVersion(file, env, deadlineMs, { enclose });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As the configuration says, and what it says where it says nothing. */
export function sandboxMode(agent: AgentDescriptor, config: AgentConfig): SandboxMode {
  if (agent.kind !== 'program') {
    return 'off';
  }
  const mode = config.sandbox ?? (agent.program === null ? 'off' : 'auto');
  return mode === 'auto' && (config.network ?? 'all') !== 'all' ? 'required' : mode;
}

/** In which agents run. `why`: none does, though it is wanted. */
export type SandboxState =
  | { readonly mode: SandboxMode; readonly by: 'bubblewrap' }
  | { readonly mode: SandboxMode; readonly by: null; readonly why: string | null };

interface Wanted {
  readonly mode: SandboxMode;
  readonly home: HomeNeeds;
  readonly config: AgentConfig;
  readonly dataFolder: string;
  readonly env: Environment;
}

export interface Sandboxed {
  readonly driver: AgentDriver;
  readonly sandbox: SandboxState;
}

export function inSandbox(driver: AgentDriver, { mode, home, config, dataFolder, env }: Wanted): Sandboxed {
  if (mode === 'off') {
    return { driver, sandbox: { mode, by: null, why: null } };
  }
  const {
    network = 'all',
    readable = [],
    writable = [],
    maxProcesses = defaultMaxProcesses,
    maxMemoryBytes = null,
  } = config;
  const limits = { processes: maxProcesses, memoryBytes: maxMemoryBytes };
  const find = (): FoundSandbox => findSandbox(env, network);
  const made = (bubblewrap: string): AgentSandbox =>
    new AgentSandbox({ bubblewrap, dataFolder, network, readable, writable, limits, ...home });
  removeLeftGroups();
  const first = find();
  let sandbox = first.kind === 'found' ? made(first.file) : null;
  const state: SandboxState =
    first.kind === 'found' ? { mode, by: 'bubblewrap' } : { mode, by: null, why: `${first.why}. ${first.fix}` };
  const start = (given: AgentStart) => {
    if (sandbox === null && mode === 'required') {
      const again = find();
      if (again.kind === 'lacking') {
        throw new AppError({ code: 'sandbox_unavailable', message: `agent.sandbox is required: ${again.why}` });
      }
      sandbox = made(again.file);
    }
    return driver.start(sandbox === null ? unprotected(given, state) : { ...given, sandbox: sandbox.open(given) });
  };
  const own = pickEnvironment(Object.keys({ ...env, ...config.env }), { ...env, ...config.env });
  const conversationFiles = (place: ConversationPlace): readonly ConversationFile[] | null => {
    const files = driver.conversationFiles?.(place) ?? null;
    const here = files?.map((file) => (sandbox === null ? file : sandbox.own(place.session, file, own)));
    return here?.every((file) => file !== null) === true ? here : null;
  };
  const moves = driver.conversationFiles === undefined ? {} : { conversationFiles };
  return { driver: { ...driver, start, ...moves }, sandbox: state };
}

function unprotected(start: AgentStart, state: SandboxState): AgentStart {
  const why = state.by === null ? (state.why ?? '') : '';
  const part = notice('no-sandbox', `it runs without a sandbox: ${why}`, {});
  return {
    ...start,
    emit(event) {
      start.emit(event);
      if (event.type === 'ready') {
        start.emit({ type: 'output', turn: null, part });
      }
    },
  };
}
