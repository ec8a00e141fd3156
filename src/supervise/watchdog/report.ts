/** What a hang report says. It is written by a thread that runs while the main loop does not, and read by people and programs. */
import type { HangClass, HangTrigger } from '../../core/model/hang.ts';
/** Line and column count from 1, as editors do. */
export interface StackFrame {
  readonly function: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

export interface ThreadFacts {
  readonly tid: number;
  readonly name: string;
  /** R running, S waiting, D waiting and deaf to signals, T stopped, Z ended. */
  readonly state: string;
  /** The kernel function it waits in; null where it runs, or where the system does not tell. */
  readonly waits: string | null;
  /** Number of the system call it is in; null as above. */
  readonly call: number | null;
  readonly cpuMs: number;
}

/** One wait, named; ages and deadlines in milliseconds, counted from the moment of the report. */
interface WaitFacts {
  readonly owner: string;
  readonly name: string;
  readonly id: string | null;
  readonly ageMs: number;
  /** Until it ends by itself; null: somebody else's deadline or a person ends it. */
  readonly leftMs: number | null;
  readonly person: boolean;
}

/** A live session, as its runtime knows it. */
export interface SessionFacts {
  readonly session: string;
  /** Of the agent and its turn, for a person: `in a turn (draining)`. */
  readonly phase: string;
  /** The task that owns the session. */
  readonly task: string | null;
  readonly turn: number | null;
  /** Tasks that wait. */
  readonly queued: number;
  readonly pid: number | null;
  /** Since the agent was last heard; null: nothing yet. */
  readonly quietMs: number | null;
  /** Written to the agent and not answered. */
  readonly pending: readonly PendingFacts[];
  /** Permission requests that wait for a person. */
  readonly permissionRequests: number;
  /** CPU of its process over the last window, got or waited for, of one core; null: not measured. */
  readonly cpu: number | null;
  readonly class: HangClass | null;
}

interface PendingFacts {
  readonly what: string;
  readonly id: string;
  readonly ageMs: number;
}

/** The live sessions and the open waits of the process, as the main loop last wrote them down. */
export interface Snapshot {
  readonly sessions: readonly SessionFacts[];
  readonly waits: readonly WaitFacts[];
  /** Sessions and waits that did not fit. */
  readonly omitted: number;
}

export interface HangReport {
  /** Also its file's name, without `.json`. */
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly class: HangClass;
  readonly trigger: HangTrigger;
  /** One line for a person. */
  readonly summary: string;
  readonly session: string | null;
  readonly process: {
    readonly pid: number;
    readonly version: string;
    readonly node: string;
    readonly upMs: number;
    readonly rss: number;
    /** Since the launcher was last heard; null: there is none. */
    readonly launcherMs: number | null;
  };
  /** `lagMs`: since the main loop last gave a sign of life. `how`: null where it runs. */
  readonly main: { readonly lagMs: number; readonly how: 'js' | 'native' | null };
  /** Innermost first; null with the reason in `noStack`. */
  readonly stack: readonly StackFrame[] | null;
  readonly noStack: string | null;
  /** Of the agent, where the report is about one; else of the daemon. */
  readonly threadsOf: number;
  readonly threads: readonly ThreadFacts[];
  /** Null: the main loop had written nothing down yet. */
  readonly snapshot: Snapshot | null;
  /** How old `snapshot` is. */
  readonly snapshotAgeMs: number | null;
  /** The main loop ran again after so long, and where it came back, if it had been in native code. */
  readonly resumed: { readonly afterMs: number; readonly stack: readonly StackFrame[] | null } | null;
}

/** In a list. */
export interface HangSummary {
  readonly id: string;
  readonly at: number;
  readonly class: HangClass;
  readonly trigger: HangTrigger;
  readonly summary: string;
  readonly session: string | null;
  readonly file: string;
}
