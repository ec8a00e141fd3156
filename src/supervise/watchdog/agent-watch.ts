/**
 * Watches the agents of a runtime: who is silent, who spins, who does not answer, whose channel is orphaned.
 *
 * Owned by the daemon; called by a timer of its own while there are agents. Owns: what was seen of each agent so far, by
 * session. Reads /proc only of agents that have been quiet for a while.
 *  agent-watch/1 One alarm for each class in each turn of each incarnation.
 *  agent-watch/2 What is forgotten by the runtime is forgotten here at the next look.
 */
import { descendants, isAlive } from '../platform/processes.ts';
import type { AgentPatience, AgentSight, AgentVerdict } from './classify.ts';
import { classify } from './classify.ts';
import type { SessionFacts } from './report.ts';
import { demandMsOf, threadNamed, workerOf } from './thread-facts.ts';

/** What a runtime tells of a live session. */
interface WatchedSession extends Omit<SessionFacts, 'pid' | 'cpu' | 'class'>, Pick<AgentSight, 'inTurn' | 'ending'> {
  readonly incarnation: number | null;
  readonly process: { readonly pid: number; readonly startTime: string } | null;
  /** The beginning of its thread's name, where it is a thread of ours. */
  readonly threadName: string | null;
}

export interface Alarm extends AgentVerdict {
  readonly session: string;
  readonly pid: number | null;
}

interface AgentWatchOptions {
  readonly patience: AgentPatience;
  /** CPU is measured over at least so long. Default 2,000. */
  readonly windowMs?: number;
  readonly onAlarm: (alarm: Alarm) => void;
}

interface Cpu {
  readonly at: number;
  readonly ownMs: number;
  readonly treeMs: number;
}

interface Seen {
  incarnation: number | null;
  turn: number | null;
  goneAt: number | null;
  /** Its thread's number, once it was looked for. */
  thread: number | null;
  /** Beginning of the window. */
  cpu: Cpu | null;
  own: number | null;
  tree: number | null;
  verdict: AgentVerdict | null;
  readonly told: Set<string>;
}

export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #windowMs: number;
  #seen = new Map<string, Seen>();

  constructor(options: AgentWatchOptions) {
    this.#options = options;
    this.#windowMs = options.windowMs ?? 2_000;
  }

  /** Looks at all of them. `now`: monotonic ms. */
  look(sessions: readonly WatchedSession[], now: number): void {
    const seen = new Map<string, Seen>();
    for (const session of sessions) {
      if (session.incarnation === null) {
        continue;
      }
      const one = this.#of(session);
      seen.set(session.session, one);
      this.#look(session, one, now);
    }
    this.#seen = seen;
  }

  /** A session with what was found of it. */
  facts({
    session,
    phase,
    task,
    turn,
    queued,
    process,
    quietMs,
    pending,
    permissionRequests,
  }: WatchedSession): SessionFacts {
    const seen = this.#seen.get(session);
    const found = { cpu: seen?.own ?? null, class: seen?.verdict?.class ?? null };
    return {
      session,
      phase,
      task,
      turn,
      queued,
      pid: process?.pid ?? null,
      quietMs,
      pending,
      permissionRequests,
      ...found,
    };
  }

  #of({ session, incarnation, turn }: WatchedSession): Seen {
    const known = this.#seen.get(session);
    if (known !== undefined && known.incarnation === incarnation && known.turn === turn) {
      return known;
    }
    return {
      incarnation,
      turn,
      goneAt: null,
      thread: null,
      cpu: null,
      own: null,
      tree: null,
      verdict: null,
      told: new Set(),
    };
  }

  #look(session: WatchedSession, seen: Seen, now: number): void {
    const { patience, onAlarm } = this.#options;
    // From half of the patience on: when it is over, the CPU has been measured.
    const quiet = session.inTurn && (session.quietMs ?? 0) >= patience.quietMs / 2;
    const late = session.pending.some(({ what, ageMs }) => ageMs >= (patience.answers[what] ?? Infinity) / 2);
    if (quiet || late) {
      this.#process(session, seen, now);
      this.#cpu(session, seen, now);
    } else {
      seen.goneAt = seen.cpu = seen.own = seen.tree = null;
    }
    const goneMs = seen.goneAt === null ? null : now - seen.goneAt;
    seen.verdict = classify({ ...session, goneMs, ownCpu: seen.own, treeCpu: seen.tree }, patience);
    if (seen.verdict === null || seen.verdict.class === 'waiting-for-person') {
      return;
    }
    const measured = (session.process === null && seen.thread === null) || seen.own !== null || !measurable;
    if (!measured && seen.verdict.class !== 'channel-orphaned') {
      return;
    }
    if (seen.told.has(seen.verdict.class)) {
      return;
    }
    seen.told.add(seen.verdict.class);
    onAlarm({ ...seen.verdict, session: session.session, pid: session.process?.pid ?? null });
  }

  #process({ process: identity }: WatchedSession, seen: Seen, now: number): void {
    if (identity === null || identity.startTime === '' || isAlive(identity)) {
      seen.goneAt = null;
    } else {
      seen.goneAt ??= now;
    }
  }

  #cpu({ process: identity, threadName }: WatchedSession, seen: Seen, now: number): void {
    if (identity === null && threadName !== null) {
      seen.thread ??= threadNamed(threadName);
    }
    const { thread } = seen;
    const worker = identity === null ? null : workerOf(identity.pid);
    const ownMs = worker !== null ? demandMsOf(worker) : thread !== null ? demandMsOf(process.pid, thread) : null;
    if (ownMs === null) {
      return;
    }
    // What a thread has started cannot be told from what its daemon has: of its tools nothing is known.
    const tools = worker === null ? [] : descendants(worker);
    const treeMs = tools.reduce((sum, { pid }) => sum + (demandMsOf(pid) ?? 0), ownMs);
    const began = seen.cpu;
    if (began === null) {
      seen.cpu = { at: now, ownMs, treeMs };
    } else if (now - began.at >= this.#windowMs) {
      seen.own = (ownMs - began.ownMs) / (now - began.at);
      // A tool that has ended took its figure along: what is left counts.
      seen.tree = identity === null ? null : Math.max(seen.own, (treeMs - began.treeMs) / (now - began.at));
      seen.cpu = { at: now, ownMs, treeMs };
    }
  }
}

/** Elsewhere nothing is measured, and silence alone has to do. */
const measurable = process.platform === 'linux';
