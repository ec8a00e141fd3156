/**
 * The nodes port in memory: several stores on one disk, each of them a node.
 *
 * Owns: who this store is. Nodes, owners and letters are on the disk. Called by: a runtime, and `MemoryStore` before each claim.
 *  memory-nodes/1 Everything happens at once; only hints come later, each in a pass of its own, so that no node is called from within another.
 *  memory-nodes/2 `sweep` removes questions from or to nodes that are gone, and nothing by its age.
 */
import { invariant } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import { nameTaken, storeLost, storeShared } from '../errors.ts';
import type {
  Applied,
  Era,
  EraState,
  HeldBy,
  Hint,
  KeptConversation,
  Letter,
  LetterReply,
  Look,
  NodeFacts,
  NodeId,
  NodeLoad,
  Nodes,
  NodeState,
  Renewal,
  StoredThrottle,
} from '../nodes.ts';
import { type DiskLetter, type DiskNode, type DiskSession, isAlive, type MemoryDisk, toText } from './disk.ts';

interface OwnedSession {
  readonly session: SessionKey;
  readonly lease: number;
}

export class MemoryNodes implements Nodes {
  readonly #open: () => MemoryDisk;
  readonly #deliver: (run: () => void) => void;
  /** How many events of each claimed session this store has seen. */
  readonly #seen = new Map<SessionKey, number>();
  readonly #listeners = new Set<(hint: Hint) => void>();
  #me: DiskNode | null = null;
  #ended = false;

  /** `open` gives the disk, or throws when the store is closed. `deliver` carries out a hint, later. */
  constructor(open: () => MemoryDisk, deliver: (run: () => void) => void) {
    this.#open = open;
    this.#deliver = deliver;
  }

  /** Null before `join`. */
  get id(): NodeId | null {
    return this.#me?.id ?? null;
  }

  get host(): string | null {
    return this.#me?.facts.host ?? null;
  }

  join(id: NodeId, facts: NodeFacts): EraState {
    const disk = this.#open();
    if (disk.owner !== null) {
      throw storeShared('a store that has the disk for itself');
    }
    invariant(!disk.nodes.has(id), 'a node has a new id');
    for (const node of disk.nodes.values()) {
      if (node === this.#me && isAlive(node)) {
        node.state = 'left';
      } else if (node.facts.name === facts.name && isAlive(node)) {
        if (!node.gone) {
          throw nameTaken(node.facts);
        }
        node.state = 'dead';
      }
    }
    this.#me = {
      id,
      facts,
      state: 'up',
      beat: 0,
      load: { agents: 0, maxAgents: 0, waiting: 0, idle: 0 },
      gone: false,
      hear: (hint) => this.#hear(hint),
    };
    disk.nodes.set(id, this.#me);
    this.#hintAll('nodes');
    return disk.era;
  }

  renew(load: NodeLoad, address: string | null, settles: Era | null): Renewal | null {
    const disk = this.#open();
    const me = this.#me;
    if (me === null || !this.#isThere(me)) {
      return null;
    }
    me.beat += 1;
    me.load = { ...load };
    me.facts = { ...me.facts, address };
    const { era } = disk;
    disk.era = { ...era, settled: era.settled || era.era === settles };
    return { state: me.state === 'draining' ? 'draining' : 'up', ...era };
  }

  /** A failover may have lost that it joined. */
  #isThere(me: DiskNode): boolean {
    return isAlive(me) && this.#open().nodes.get(me.id) === me;
  }

  leave(): void {
    this.#open();
    if (this.#me !== null && this.#isThere(this.#me)) {
      this.#me.state = 'left';
      this.#hintAll('nodes');
    }
  }

  look(): Look {
    const disk = this.#open();
    const nodes = [...disk.nodes.values()]
      .filter(isAlive)
      .map(({ id, facts, load, state, beat }) => ({ ...facts, ...load, id, state, beat }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { era: disk.era.era, nodes };
  }

  sessionCounts(): ReadonlyMap<NodeId, number> {
    const owned = new Map<NodeId, number>();
    for (const { owner } of this.#open().sessions.values()) {
      if (owner !== null) {
        owned.set(owner, (owned.get(owner) ?? 0) + 1);
      }
    }
    return owned;
  }

  declareDead(id: NodeId, beat: number, era: Era): boolean {
    const disk = this.#open();
    const node = disk.nodes.get(id);
    if (node === undefined || !isAlive(node) || node.beat !== beat || disk.era.era !== era) {
      return false;
    }
    this.#set(node, 'dead');
    return true;
  }

  drain(id: NodeId, draining: boolean): boolean {
    const node = this.#open().nodes.get(id);
    if (node === undefined || !isAlive(node)) {
      return false;
    }
    this.#set(node, draining ? 'draining' : 'up');
    return true;
  }

  #set(node: DiskNode, state: NodeState): void {
    node.state = state;
    this.#hintAll('nodes');
  }

  release(sessions: readonly OwnedSession[]): void {
    const disk = this.#open();
    const owned = sessions.flatMap(({ session, lease }) => {
      const found = disk.sessions.get(session);
      return this.#owns(found, lease) ? [found] : [];
    });
    for (const session of owned) {
      session.owner = null;
    }
    if (owned.length > 0) {
      this.#hintAll('nodes');
    }
  }

  orphans(limit: number): readonly SessionKey[] {
    const disk = this.#open();
    return withWork(disk)
      .filter((session) => ownerOf(disk, session) === null)
      .slice(0, limit)
      .map(({ key }) => key);
  }

  lost(sessions: readonly OwnedSession[]): readonly SessionKey[] {
    const disk = this.#open();
    return sessions
      .filter(({ session, lease }) => {
        const found = disk.sessions.get(session);
        return !this.#owns(found, lease) || this.isBehind(found);
      })
      .map(({ session }) => session);
  }

  /** It has been claimed, or has got a commit. */
  saw({ key, feed }: DiskSession): void {
    this.#seen.set(key, feed.length);
  }

  /** A failover has lost what this node has committed. */
  isBehind({ key, feed }: DiskSession): boolean {
    return feed.length < (this.#seen.get(key) ?? 0);
  }

  owned(): readonly SessionKey[] {
    return withWork(this.#open())
      .filter(({ owner }) => owner === this.id)
      .map(({ key }) => key);
  }

  #owns(session: DiskSession | undefined, lease: number): session is DiskSession {
    return session !== undefined && session.owner === this.id && session.lease === lease;
  }

  /** Who keeps this node from claiming the session; null: nobody. Throws `store_lost` for a node that is dead. */
  holderOf(session: DiskSession): HeldBy | null {
    const me = this.#me;
    invariant(me !== null, 'a shared store has joined before it claims');
    if (!this.#isThere(me)) {
      throw storeLost('another node has declared this one dead');
    }
    const owner = session.owner === me.id ? null : ownerOf(this.#open(), session);
    const claims = this.#open().era.settled && (me.state === 'up' || session.owner === me.id);
    const holder = owner ?? (claims ? null : me);
    return holder === null ? null : { node: holder.id, name: holder.facts.name };
  }

  send(letters: readonly Letter[]): void {
    const disk = this.#open();
    for (const letter of letters) {
      if (disk.letters.has(letter.id) || disk.replies.has(letter.id)) {
        continue;
      }
      const { id, from } = letter;
      const session = 'session' in letter ? letter.session : null;
      const node = 'node' in letter ? letter.node : null;
      disk.letters.set(id, { id, from, session, node, body: toText(letter.body) });
      const found = session === null ? null : disk.session(session);
      const to = found === null ? node : (ownerOf(disk, found)?.id ?? null);
      if (to === null) {
        this.#hintAll('letters');
        this.#hintAll('nodes');
      } else {
        this.#hint(to, 'letters');
      }
    }
  }

  receive(limit: number): readonly Letter[] {
    const disk = this.#open();
    const { id } = this;
    const mine = ({ session, node }: DiskLetter): boolean =>
      id !== null && (session === null ? node : disk.sessions.get(session)?.owner) === id;
    return [...disk.letters.values()].filter(mine).slice(0, limit).map(toLetter);
  }

  answer(answers: readonly Applied[]): void {
    const disk = this.#open();
    for (const answer of answers) {
      if (disk.letters.has(answer.id)) {
        disk.take(answer);
        this.#hint(answer.from, 'letters');
      }
    }
  }

  /** A commit has taken these out. */
  answered(applied: readonly Applied[]): void {
    for (const from of new Set(applied.map((one) => one.from))) {
      this.#hint(from, 'letters');
    }
  }

  replies(ids: readonly string[]): readonly LetterReply[] {
    const { replies } = this.#open();
    return ids.flatMap((id) => {
      const found = replies.get(id);
      replies.delete(id);
      return found === undefined ? [] : [{ id, reply: JSON.parse(found.reply) as unknown }];
    });
  }

  withdraw(ids: readonly string[]): readonly string[] {
    const { letters } = this.#open();
    return ids.filter((id) => letters.delete(id));
  }

  sweep(): void {
    const disk = this.#open();
    const gone = (id: NodeId | null): boolean => {
      const node = id === null ? undefined : disk.nodes.get(id);
      return node === undefined || !isAlive(node);
    };
    for (const { id, session, from, node } of disk.letters.values()) {
      if (session === null && (gone(from) || gone(node))) {
        disk.letters.delete(id);
      }
    }
  }

  throttles(): readonly StoredThrottle[] {
    const now = performance.now();
    return [...this.#open().throttles].map(([provider, { version, state, at }]) => ({
      provider,
      version,
      state: JSON.parse(state) as unknown,
      ageMs: now - at,
    }));
  }

  putThrottle(provider: string, seen: number, state: unknown): number | null {
    const { throttles } = this.#open();
    if ((throttles.get(provider)?.version ?? 0) !== seen) {
      return null;
    }
    throttles.set(provider, { version: seen + 1, state: toText(state), at: performance.now() });
    this.#hintAll('throttles');
    return seen + 1;
  }

  conversation(session: SessionKey): KeptConversation | null {
    return this.#open().conversations.get(session) ?? null;
  }

  openConversation(
    session: SessionKey,
    lease: number,
    { conversation, node, place }: Pick<KeptConversation, 'conversation' | 'node' | 'place'>,
  ): boolean {
    const known = this.#open().conversations.get(session);
    const kept = known?.conversation === conversation ? known : { turn: -1, files: null, lack: null };
    return this.keepConversation(session, lease, { ...kept, conversation, node, place, open: true });
  }

  keepConversation(session: SessionKey, lease: number, kept: KeptConversation): boolean {
    const disk = this.#open();
    const owns = this.#owns(disk.sessions.get(session), lease);
    if (owns) {
      disk.conversations.set(session, { ...kept });
    }
    return owns;
  }

  onHint(listener: (hint: Hint) => void): () => void {
    this.#open();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  hintEvents(): void {
    if (!this.#ended) {
      this.#hintAll('events');
    }
  }

  /** Of a store that is closed. */
  end(): void {
    this.leave();
    this.#ended = true;
    this.#listeners.clear();
  }

  /** The process has ended without a word. */
  crash(): void {
    this.#ended = true;
    this.#listeners.clear();
    if (this.#me !== null) {
      this.#me.gone = true;
    }
  }

  #hear(hint: Hint): void {
    for (const listener of this.#listeners) {
      this.#deliver(() => {
        if (this.#listeners.has(listener)) {
          listener(hint);
        }
      });
    }
  }

  #hint(to: NodeId, hint: Hint): void {
    if (to !== this.id) {
      this.#open().nodes.get(to)?.hear(hint);
    }
  }

  #hintAll(hint: Hint): void {
    for (const id of this.#open().nodes.keys()) {
      this.#hint(id, hint);
    }
  }
}

/** Null: nobody, or a node that is gone. */
/** Something waits in them. */
function withWork(disk: MemoryDisk): readonly DiskSession[] {
  const called = new Set<SessionKey | null>([...disk.letters.values()].map(({ session }) => session));
  return [...disk.sessions.values()].filter(({ key, open, parked }) => open.size > 0 || parked || called.has(key));
}

function ownerOf(disk: MemoryDisk, { owner }: DiskSession): DiskNode | null {
  const node = owner === null ? undefined : disk.nodes.get(owner);
  return node !== undefined && isAlive(node) ? node : null;
}

function toLetter({ id, from, session, node, body }: DiskLetter): Letter {
  const letter = { id, from, body: JSON.parse(body) as unknown };
  if (session !== null) {
    return { ...letter, session };
  }
  invariant(node !== null, 'a letter has an addressee');
  return { ...letter, node };
}
