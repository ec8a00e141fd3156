/** What a program in a sandbox sees of the machine: whatever a plan does not list is not there for it. */

import type { Limits } from './control-groups.ts';

export type Mount =
  /** The file or folder `from` of the machine, at the path `at`. */
  | { readonly kind: 'read' | 'write'; readonly from: string; readonly at: string }
  /** An empty folder of its own, in memory, gone with the program. */
  | { readonly kind: 'empty'; readonly at: string }
  /** A file without content, over one that is there. */
  | { readonly kind: 'blank'; readonly at: string }
  | { readonly kind: 'link'; readonly at: string; readonly to: string };

/**
 * What a program can connect to. `none`: nothing, not even a port of this machine. A list: these hosts, by a proxy that its environment
 * has to name, `proxyPort` on the loopback of the sandbox.
 */
export type Network = 'all' | 'none' | readonly string[];

export interface SandboxPlan {
  /** The program that makes the sandbox, absolute. */
  readonly bubblewrap: string;
  /** A mount covers what an earlier one, or one at a folder above, has put at its path. */
  readonly mounts: readonly Mount[];
  readonly network: Network;
  /** As far as the system gives them. Default: none. */
  readonly limits?: Limits;
}

/** What is to be started. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
}
