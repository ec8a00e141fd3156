/**
 * Every way in which a child gets stuck or leaves something behind, as small shell programs: a start costs 5 ms, so that
 * thousands of them can be run. Each says `up` when it is in its state, except for the one that never says anything.
 */
export interface StuckMode {
  readonly script: string;
  /** `kill`: it must be killed. `end`: it ends by itself, and something of it does not. */
  readonly ends: 'kill' | 'end';
  /** False: it says nothing. */
  readonly says: boolean;
  /** Processes that live beside the leader when it is up; they carry its cookie. */
  readonly others: number;
}

const killed = (script: string, others = 0): StuckMode => ({ script, ends: 'kill', says: true, others });

/** Whatever is left by a defect ends by itself. */
const long = 'sleep 300';

export const stuckModes = {
  'ignores SIGTERM': killed(`trap '' TERM; echo up; while :; do ${long}; done`, 1),
  'busy loop': killed('echo up; while :; do :; done'),
  stopped: killed('echo up; kill -STOP $$'),
  // The writing end is its own: nobody will ever write.
  'blocked in a read': killed('d=$(mktemp -d); mkfifo $d/f; exec 9<>$d/f; rm -r $d; echo up; read x <&9'),
  forks: killed(`${long} & ${long} & ${long} & echo up; wait`, 3),
  'double-forks with setsid, holding stdout': killed(`(setsid ${long} &); sleep 0.01; echo up; ${long}`, 2),
  'floods stderr': killed('echo up; yes "what a pity" >&2', 1),
  'never ready': { script: `exec ${long}`, ends: 'kill', says: false, others: 0 },
  'closes its pipes but lives': killed(`echo up; exec 0<&- 1>&- 2>&-; ${long}`, 1),
  'exits, leaving a grandchild': { script: `setsid ${long} & echo up; exit 0`, ends: 'end', says: true, others: 1 },
} as const satisfies { readonly [name: string]: StuckMode };

export type StuckName = keyof typeof stuckModes;
export const stuckNames = Object.keys(stuckModes) as readonly StuckName[];
