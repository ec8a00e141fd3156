/** What the supervisor asks of the operating system about processes that are not, or no longer, its children. */

export interface ProcessInfo {
  readonly pid: number;
  /** Its parent's pid now: an orphan has the reaper's, not that of who started it. */
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /**
   * Field 22 of /proc/PID/stat (clock ticks since boot) on Linux; `lstart` of ps elsewhere. With the
   * pid it names one process for as long as the system runs: a pid is given away again, the pair is not.
   */
  readonly startTime: string;
  /** Dead and not yet reaped: it runs nothing and holds nothing, so it counts as gone. */
  readonly zombie: boolean;
  /** By a signal, or by a debugger: it runs nothing until it is continued. */
  readonly stopped: boolean;
}

/** What the supervisor wrote into the environment that a process began with; null where it is not there or not shown. */
export interface Marks {
  /** Of the agent it belongs to. */
  readonly cookie: string | null;
  /** Of the daemon it belongs to. */
  readonly daemonId: string | null;
}

export interface ProcessEntry extends ProcessInfo, Marks {
  /** It has no environment at all: it was cleared, or the process is just becoming another program and has none yet. */
  readonly bare: boolean;
}

/** One system's way to answer. Nothing here throws: what cannot be seen is not there. */
export interface ProcessSystem {
  info(pid: number): ProcessInfo | null;
  /** Every process, now; costs some 20 µs for each on Linux, a process of its own elsewhere. */
  all(): readonly ProcessInfo[];
  /** The same with marks, now. */
  entriesNow(): readonly ProcessEntry[];
  /** The same, giving the loop a turn every few milliseconds. What comes and goes meanwhile may be missed. */
  entries(): Promise<readonly ProcessEntry[]>;
  /** Null: this process shows no environment. */
  marks(pid: number): Marks | null;
  /** Children, their children and so on, by parent links as they are now; never the asked one. */
  descendants(pid: number): readonly ProcessInfo[];
  /**
   * Gives a process that has just been started, and all that it will start, a lower claim on the processor: so many steps of
   * niceness below ours. False: part of it must be tried again.
   */
  lower(pid: number, steps: number): boolean;
  /** To every member of a group. False: it has none, or none that is ours to signal. */
  signalGroup(group: number, name: NodeJS.Signals): boolean;
}
