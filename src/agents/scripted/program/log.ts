/**
 * The scripted agent's own log of what it did and when. The agent keeps it, and not the daemon: so a test can prove from the
 * agents' side that no two of them served one session at a time. Each line is JSON, and is appended in one write.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type AgentLogEvent =
  | 'started'
  | 'overlap'
  | 'prompt'
  | 'steer'
  | 'interrupt'
  | 'permission-requested'
  | 'permission-resolved'
  | 'model'
  | 'ack'
  | 'result'
  | 'exiting';

export interface AgentLogLine {
  /** Monotonic nanoseconds, comparable between the processes of one machine. */
  readonly at: string;
  /** Wall-clock ms. */
  readonly wall: number;
  readonly pid: number;
  readonly session: string;
  readonly incarnation: number;
  readonly event: AgentLogEvent;
  readonly [detail: string]: unknown;
}

export class AgentLog {
  readonly #path: string | null;
  #session = '';
  #incarnation = 0;

  constructor(path: string | null) {
    this.#path = path;
  }

  write(event: AgentLogEvent, detail: { readonly [name: string]: unknown } = {}): void {
    if (this.#path === null) {
      return;
    }
    const line: AgentLogLine = {
      at: String(process.hrtime.bigint()),
      wall: Date.now(),
      pid: process.pid,
      session: this.#session,
      incarnation: this.#incarnation,
      event,
      ...detail,
    };
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }

  /** From now on this process serves the session. If an earlier process of the session still lives, that is an `overlap`. */
  serve(session: string, incarnation: number, conversation: string | null): void {
    this.#session = session;
    this.#incarnation = incarnation;
    this.write('started', { conversation });
    const other = this.#takeOver(session);
    if (other !== null) {
      this.write('overlap', other);
    }
  }

  #takeOver(session: string): { readonly other: number; readonly stopped: boolean } | null {
    if (this.#path === null) {
      return null;
    }
    const directory = `${this.#path}.owners`;
    mkdirSync(directory, { recursive: true });
    const path = join(directory, encodeURIComponent(session).slice(0, 200));
    const [pid = '', since = ''] = readOrEmpty(path).split(' ');
    writeFileSync(path, `${process.pid} ${aliveSince(process.pid)}`);
    const alive = pid === '' || Number(pid) === process.pid ? '' : aliveSince(Number(pid));
    return alive !== '' && alive === since ? { other: Number(pid), stopped: stateOf(Number(pid)) === 'T' } : null;
  }
}

/** Start time of a living process from /proc; empty for a dead one, a zombie, and on systems without /proc. */
function aliveSince(pid: number): string {
  const [state, ...fields] = statOf(pid);
  return state === 'Z' || state === 'X' ? '' : (fields[18] ?? '');
}

/** `T`: it stands still, as an agent does that was frozen. */
const stateOf = (pid: number): string => statOf(pid)[0] ?? '';

/** From its state on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. */
function statOf(pid: number): readonly string[] {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
