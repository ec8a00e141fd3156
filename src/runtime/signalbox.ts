/**
 * The runtime's front: commands become inputs of session actors, reads answer what was committed.
 *
 * It makes the registry, the hub and the figures of one process, and offers what its parts offer. It decides nothing: who
 * owns a session, what a message does and what an event means is decided by `step` alone.
 */
import { invariant } from '../core/errors.ts';
import { Admission } from './admission.ts';
import type { Signalbox } from './api.ts';
import { closeRuntime } from './close.ts';
import { Cluster } from './cluster/cluster.ts';
import { questionsOf } from './cluster/questions.ts';
import { holderCommands } from './commands/holders.ts';
import { operatorCommands } from './commands/operator.ts';
import { taskCommands } from './commands/tasks.ts';
import { type Context, contextOf, type SignalboxOptions } from './options.ts';
import type { RuntimeParts } from './parts.ts';
import { following } from './queries/follow.ts';
import { Hub } from './queries/hub.ts';
import { liveReads } from './queries/live.ts';
import { nodeCommands } from './commands/nodes.ts';
import { Stats } from './queries/stats.ts';
import { storedReads } from './queries/stored.ts';
import { refused } from './refusals.ts';
import { recover } from './session/recovery.ts';
import { Registry } from './session/registry.ts';
import { keyResolver } from './session-keys.ts';

export function createSignalbox(options: SignalboxOptions): Signalbox {
  const context = contextOf(options);
  const stats = new Stats();
  const hub = new Hub((error) => context.onError(error, 'listener'));
  const cluster = clusterOf(context, options);
  if (cluster !== null) {
    hub.sharesStore();
  }
  const registry = new Registry(context, stats, hub, cluster);
  const recovered = async (): Promise<void> => {
    await cluster?.join(
      registry,
      hub,
      questionsOf(() => parts),
    );
    await recover({ context, registry, stats, cluster }, options.endLeftovers ?? true);
  };
  const { begin } = options;
  const ready = begin === undefined ? recovered() : begin.then(recovered);
  // A recovery that was never to begin has not failed.
  const begun =
    begin === undefined
      ? Promise.resolve(true)
      : begin.then(
          () => true,
          () => false,
        );
  ready.catch(async (error: unknown) => {
    if (await begun) {
      context.onError(error, 'recovery');
    }
  });
  const key = keyResolver(options.resolveSession ?? ((routing) => routing));
  const parts: RuntimeParts = { context, registry, cluster, hub, stats, key, ready };
  const admission = new Admission(parts);
  let closing: Promise<void> | null = null;
  const close: Signalbox['close'] = ({ graceMs = context.limits.graceMs } = {}) => {
    closing ??= closeRuntime(parts, graceMs);
    return closing;
  };
  return {
    ready,
    submit: (request) => (closing === null ? admission.submit(request) : Promise.resolve(refused('closing'))),
    ...taskCommands(parts),
    ...operatorCommands(parts),
    holders: holderCommands(parts),
    ...storedReads(parts),
    ...liveReads(parts),
    ...following(parts),
    ...nodeCommands(parts),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Throws `invariant_broken`: a shared store needs to know which node it has. */
function clusterOf(context: Context, { store, node }: SignalboxOptions): Cluster | null {
  if (store.nodes === null) {
    return null;
  }
  invariant(node !== undefined, 'a daemon on a shared store is a node');
  return new Cluster(context, store.nodes, node);
}
