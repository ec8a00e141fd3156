/** Nodes on one store, short to write in tests. */
import { sessionKey, type SessionKey } from '../../core/model/ids.ts';
import { invariant } from '../../core/errors.ts';
import type { Record as CoreRecord } from '../../core/model/records.ts';
import type { Applied, EraState, Letter, NodeFacts, NodeId, Nodes, StoredNode } from '../../store/nodes.ts';
import type { CommitOutcome, Store } from '../../store/port.ts';
import type { NodesHarness } from './api.ts';
import { owner } from './records.ts';

export interface Member {
  readonly id: NodeId;
  readonly name: string;
  readonly store: Store;
  readonly nodes: Nodes;
  /** Claims a session, which is free for it. */
  owner(session: string): ReturnType<typeof owner>;
}

export const factsOf = (name: string, change: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  host: 'here',
  pid: 1,
  version: '1.0.0',
  address: null,
  ttlMs: 10_000,
  labels: [],
  ...change,
});

let members = 0;

/** Opens one more store, and joins. */
export async function member(harness: NodesHarness, name: string): Promise<Member> {
  const store = await harness.openShared();
  const { nodes } = store;
  invariant(nodes !== null, 'a shared store has nodes');
  members += 1;
  const id = members;
  await nodes.join(id, factsOf(name));
  return { id, name, store, nodes, owner: (session) => owner(store, session) };
}

/** Declares it dead, as a watcher does that has seen its beat stand still. */
export async function bury(watcher: Member, other: Member): Promise<boolean> {
  const { era, nodes } = await watcher.nodes.look();
  const found = nodes.find(({ id }) => id === other.id);
  return found !== undefined && era !== null && (await watcher.nodes.declareDead(found.id, found.beat, era));
}

export const noLoad = { agents: 0, maxAgents: 1, waiting: 0, idle: 0 };

/** The state that others gave it, after a sign of life; null: it is dead. */
export const stateOf = async ({ nodes }: Pick<Member, 'nodes'>, load = noLoad): Promise<'up' | 'draining' | null> =>
  (await nodes.renew(load, null, null))?.state ?? null;

/** That it meets with a sign of life. */
export async function eraOf({ nodes }: Pick<Member, 'nodes'>): Promise<EraState> {
  const renewal = await nodes.renew(noLoad, null, null);
  invariant(renewal !== null, 'it is alive');
  return { era: renewal.era, settled: renewal.settled };
}

export async function nodeOf({ nodes }: Member, id: NodeId): Promise<StoredNode | null> {
  return (await nodes.look()).nodes.find((node) => node.id === id) ?? null;
}

/** A command of `from` for a session. */
export const command = (from: Member, id: string, session: string, body: unknown = { id }): Letter => ({
  id,
  from: from.id,
  session: sessionKey(session),
  body,
});

export const question = (from: Member, id: string, to: Member, body: unknown = { id }): Letter => ({
  id,
  from: from.id,
  node: to.id,
  body,
});

export const applied = (from: Member, id: string, reply: unknown = 'done'): Applied => ({ id, from: from.id, reply });

/** Commits for one session, and takes these commands out. */
export async function apply(
  { store }: Member,
  { session, lease }: { readonly session: SessionKey; readonly lease: number },
  taken: readonly Applied[],
  ...records: readonly CoreRecord[]
): Promise<CommitOutcome | undefined> {
  const [outcome] = await store.commit([{ session, lease, records, applied: taken }]);
  return outcome;
}

export const idsOf = (letters: readonly { readonly id: string }[]): readonly string[] => letters.map(({ id }) => id);
