/** The parts of one runtime, from which its commands and its reads are made. */
import type { Cluster } from './cluster/cluster.ts';
import type { Context } from './options.ts';
import type { Hub } from './queries/hub.ts';
import type { Stats } from './queries/stats.ts';
import type { Registry } from './session/registry.ts';
import type { KeyResolver } from './session-keys.ts';

export interface RuntimeParts {
  readonly context: Context;
  readonly registry: Registry;
  /** Null: the store is this daemon's alone. */
  readonly cluster: Cluster | null;
  readonly hub: Hub;
  readonly stats: Stats;
  readonly key: KeyResolver;
  /** Recovery is done. */
  readonly ready: Promise<void>;
}
