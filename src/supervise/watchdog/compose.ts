/** Makes a report of what is known: pure but for the look at the threads, and the process's own figures. */
import { type HangClass, hangClasses, type HangTrigger } from '../../core/model/hang.ts';
import type { HangReport, Snapshot, StackFrame } from './report.ts';
import { innermost } from './stack.ts';
import { threadsOf } from './thread-facts.ts';

export interface Known {
  readonly id: string;
  readonly at: number;
  readonly trigger: HangTrigger;
  readonly version: string;
  /** Null: there is no launcher. */
  readonly launcherMs: number | null;
  readonly lagMs: number;
  /** The main loop counts as blocked. */
  readonly blocked: boolean;
  readonly stack: readonly StackFrame[] | null;
  readonly snapshot: { readonly facts: Snapshot; readonly ageMs: number } | null;
  /** What an agent was found to be; null: the report is about the whole process. */
  readonly agent: AgentFinding | null;
}

export interface AgentFinding {
  readonly class: HangClass;
  readonly session: string;
  readonly summary: string;
  /** Null: it has no process of its own. */
  readonly pid: number | null;
}

const noStackNative = 'no stack: native';
const noStackRuns = 'no stack: the main loop runs';

export function classOf({ blocked, agent, snapshot }: Pick<Known, 'blocked' | 'agent' | 'snapshot'>): HangClass {
  if (agent !== null) {
    return agent.class;
  }
  if (blocked) {
    return 'main-loop-blocked';
  }
  const found = snapshot?.facts.sessions.map((session) => session.class) ?? [];
  return hangClasses.find((one) => found.includes(one)) ?? 'no-hang';
}

export function compose(known: Known): HangReport {
  const { id, at, trigger, version, launcherMs, lagMs, blocked, stack, snapshot, agent } = known;
  const what = classOf(known);
  return {
    id,
    at,
    class: what,
    trigger,
    summary: agent?.summary ?? summaryOf(known, what),
    session: agent?.session ?? null,
    process: {
      pid: process.pid,
      version,
      node: process.version,
      upMs: Math.round(process.uptime() * 1000),
      rss: process.memoryUsage.rss(),
      launcherMs,
    },
    main: { lagMs, how: blocked ? (stack === null ? 'native' : 'js') : null },
    stack,
    noStack: stack !== null ? null : blocked ? noStackNative : noStackRuns,
    threadsOf: agent?.pid ?? process.pid,
    threads: threadsOf(agent?.pid ?? process.pid),
    snapshot: snapshot === null ? null : aged(snapshot.facts, snapshot.ageMs),
    snapshotAgeMs: snapshot?.ageMs ?? null,
    resumed: null,
  };
}

function summaryOf({ lagMs, stack, snapshot }: Known, what: HangClass): string {
  if (what === 'main-loop-blocked') {
    const where = stack === null ? `in native code (${noStackNative})` : `in ${innermost(stack) ?? 'no function'}`;
    return `the main loop has been blocked for ${(lagMs / 1000).toFixed(1)} s ${where}`;
  }
  const { sessions = [], waits = [] } = snapshot?.facts ?? {};
  const found = sessions.filter((session) => session.class === what);
  if (found.length > 0) {
    return `${what}: ${found.map(({ session }) => session).join(', ')}`;
  }
  return `the main loop runs; ${sessions.length} live sessions, ${waits.length} waits, none of them a hang`;
}

/** What was written down so long ago, as it is now. */
function aged({ sessions, waits, omitted }: Snapshot, byMs: number): Snapshot {
  return {
    omitted,
    sessions: sessions.map((session) => ({
      ...session,
      quietMs: session.quietMs === null ? null : session.quietMs + byMs,
      pending: session.pending.map((one) => ({ ...one, ageMs: one.ageMs + byMs })),
    })),
    waits: waits.map((wait) => ({
      ...wait,
      ageMs: wait.ageMs + byMs,
      leftMs: wait.leftMs === null ? null : wait.leftMs - byMs,
    })),
  };
}
