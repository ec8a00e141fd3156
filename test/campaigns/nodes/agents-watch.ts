/**
 * Looks at the agents from outside while the campaign runs: who their own log says serves a session, and whether the process table knows
 * two of one session that live and do not stand still.
 *
 * Owned by one run. Owns: its timer, and how far the log was read. Linux only: elsewhere nobody is seen.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import type { AgentLogLine } from '../../../src/agents/scripted/program/log.ts';
import type { Findings } from './findings.ts';

const everyMs = 100;

interface Agent {
  readonly pid: number;
  readonly startTime: string;
}

export class AgentsWatch implements Disposable {
  readonly #log: string;
  readonly #findings: Findings;
  readonly #timer: NodeJS.Timeout;
  readonly #sessions = new Map<string, Agent[]>();
  readonly #told = new Set<string>();
  #read = 0;
  #rest = '';
  /** Looks that saw a successor beside an agent that stood still. */
  stoodStill = 0;

  constructor(log: string, findings: Findings) {
    this.#log = log;
    this.#findings = findings;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  #look(): void {
    for (const { event, session, pid } of this.#news()) {
      if (event === 'started') {
        const agents = this.#sessions.get(session) ?? [];
        agents.push({ pid, startTime: statOf(pid).startTime });
        this.#sessions.set(session, agents);
      }
    }
    for (const [session, agents] of this.#sessions) {
      const states = agents.map((agent) => ({ ...agent, ...statOf(agent.pid, agent.startTime) }));
      const alive = states.filter(({ state }) => state !== '' && state !== 'Z' && state !== 'X');
      const atWork = alive.length < 2 ? [] : alive.filter(({ pid, state }) => state !== 'T' && !isDying(pid));
      if (alive.length < agents.length) {
        this.#sessions.set(session, alive);
      }
      this.stoodStill += alive.length > 1 ? 1 : 0;
      const pids = atWork.map(({ pid }) => pid).join(' and ');
      if (atWork.length > 1 && !this.#told.has(pids)) {
        this.#told.add(pids);
        this.#findings.add('agents', `the processes ${pids} live in ${session}`);
      }
    }
  }

  #news(): readonly AgentLogLine[] {
    if (!existsSync(this.#log)) {
      return [];
    }
    const file = openSync(this.#log, 'r');
    const chunk = Buffer.alloc(1024 * 1024);
    const length = readSync(file, chunk, 0, chunk.length, this.#read);
    closeSync(file);
    this.#read += length;
    const lines = (this.#rest + chunk.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => JSON.parse(line) as AgentLogLine);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** SIGKILL has been sent, and its memory is being given back: on a busy machine that takes a while. */
function isDying(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
    const [, pending = '0'] = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (flags & exiting) !== 0 || (BigInt(`0x${pending}`) & sigkill) !== 0n;
  } catch {
    return true;
  }
}

/** PF_EXITING of the kernel, and the bit of SIGKILL in a mask of signals. */
const exiting = 0x4;
const sigkill = 1n << 8n;

/** Of a process that is gone, or is another one by now, the state is empty. */
function statOf(pid: number, startTime?: string): { readonly state: string; readonly startTime: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const began = fields[19] ?? '';
    return { state: startTime === undefined || began === startTime ? (fields[0] ?? '') : '', startTime: began };
  } catch {
    return { state: '', startTime: '' };
  }
}
