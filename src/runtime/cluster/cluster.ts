/**
 * This daemon among several on one store: its membership, its letters, and the sessions that it takes up and gives back.
 *
 * Owned by one runtime, where the store is shared. It decides nothing about a session: it says who decides.
 *  cluster/1 A session is claimed by the node that is asked for it, or, when nobody alive has it and something waits in it, by whoever
 *            sees that first. A node that drains claims nothing.
 *            It is left to a node that suits it better (`placement.ts`).
 *  cluster/2 A session at rest is given back, so that the next one who is asked may have it.
 *  cluster/3 A node that was declared dead ends everything of its sessions before it comes back as a new node.
 *  cluster/4 A session whose agent waits for a slot or a label of another node is given back. No agent and no code runner of it runs by then.
 *  cluster/5 Hints only save time: whatever they tell is looked for at every poll.
 */
import { AppError } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import { interactiveWaits } from '../../core/queue.ts';
import { treeValues } from '../../core/tree.ts';
import type { LeaseTimes } from '../../protocol/lease-times.ts';
import type { NodeId, Nodes, StoredNode } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import type { Hub } from '../queries/hub.ts';
import type { ProviderNodes } from '../throttle/providers.ts';
import { closing, sessionMoved } from '../refusals.ts';
import { handOver } from '../session/hand-over.ts';
import type { AgentPool } from '../agent/pool.ts';
import type { SessionActor } from '../session/actor.ts';
import type { Registry } from '../session/registry.ts';
import { Conversations } from './conversations.ts';
import { ClusterFeed } from './feed.ts';
import { Inbox, type Questions } from './inbox.ts';
import { Letters } from './letters.ts';
import { Membership } from './membership.ts';
import type { ClusterLink, ClusterOptions } from './options.ts';
import { Placement } from './placement.ts';
import { SharedThrottles } from './throttles.ts';

/** A command waits for a takeover and for an answer behind it, ms; a question for a list is not worth as much. */
const answerMs = (times: LeaseTimes): number => times.ttlMs + 5_000;
const questionMs = 2_000;
/** Between two looks at what is left of nodes that are gone. */
const sweepMs = 60_000;
/** Sessions taken up at a time, so that others get their turn. */
const adoptPage = 50;

/** Its agent waits for what another node may have, and nothing of it runs here. */
const isMovable = ({ detached, host, session: { tasks } }: SessionActor): boolean =>
  !detached && host.waitsForNode && !treeValues(tasks).some(({ mode, run }) => mode === 'code' && run !== null);

const interactiveIsThrottled = ({ detached, session }: SessionActor): boolean =>
  !detached && session.throttle?.level === 'all' && interactiveWaits(session);

export class Cluster implements ClusterLink {
  readonly #context: Context;
  readonly #nodes: Nodes;
  readonly #options: ClusterOptions;
  readonly #membership: Membership;
  readonly #letters: Letters;
  readonly #placement: Placement;
  readonly #throttles: SharedThrottles;
  readonly conversations: Conversations;
  #registry: Registry | null = null;
  #inbox: Inbox | null = null;
  #feed: ClusterFeed | null = null;
  /** Sessions at rest, with their leases. */
  readonly #resting = new Map<SessionKey, number>();
  /** Sessions that may be this node's without being open: the answer to their claim got lost. */
  readonly #unsure = new Set<SessionKey>();
  /** Sessions of which a failover has lost something, unless this node is dead, and whose tapes do not say so yet. */
  readonly #rewound = new Set<SessionKey>();
  /** Sessions of which a failover has lost something, and whose tapes are to say so. */
  readonly #untold = new Set<SessionKey>();
  #adopting: Promise<void> | null = null;
  #giving: Promise<void> | null = null;
  #gives = false;
  #draining = false;
  #isFrozen = false;
  /** It knows where the feed ends and which providers are throttled: what it claims is answered for. */
  #isReady = false;
  #adoptsAgain = false;
  #sweptAt = 0;
  #sealed = false;
  #cancelPoll: (() => void) | null = null;
  #stopHints: (() => void) | null = null;
  #stopGuard: (() => void) | undefined = undefined;

  constructor(context: Context, nodes: Nodes, options: ClusterOptions) {
    this.#context = context;
    this.#nodes = nodes;
    this.#options = options;
    const { maxAgents } = context.limits;
    const load = (): AgentPool['load'] => this.#registry?.pool.load ?? { agents: 0, idle: 0, leaving: 0, waiting: 0 };
    this.#placement = new Placement({
      nodes,
      id: () => this.#membership.id,
      labels: options.facts.labels,
      needs: options.needs ?? (() => []),
      load: () => ({ ...load(), maxAgents }),
      now: () => context.clock.now(),
      patienceMs: 2 * options.pollMs,
    });
    this.#membership = new Membership({
      context,
      nodes,
      ...options,
      guard: options.guard ?? null,
      load: () => ({ ...load(), maxAgents }),
      seen: (all) => {
        this.#placement.see(all);
        this.#throttles.look();
      },
      verify: (isOther) => this.#verify(isOther),
      renewed: () => this.#renewed(),
      settled: (isSettled) => {
        options.onEra?.(isSettled);
        if (isSettled) {
          void this.#settled();
        }
      },
      died: () => void this.#died(),
      freed: () => void this.adopt(),
    });
    this.conversations = new Conversations({ context, nodes, name: options.facts.name });
    this.#throttles = new SharedThrottles({
      context,
      nodes,
      id: () => this.#membership.id,
      isAlone: () => this.#membership.isAlone,
      waits: () => this.#registry?.actors().some(interactiveIsThrottled) ?? false,
    });
    this.#letters = new Letters(context, nodes, () => this.#membership.id);
  }

  get providers(): ProviderNodes {
    return this.#throttles;
  }

  get id(): NodeId {
    return this.#membership.id;
  }

  /** It claims no session. */
  get claimsNothing(): boolean {
    return !this.#isReady || this.#drains || !this.#membership.isSettled;
  }

  get #drains(): boolean {
    return this.#membership.state !== 'up';
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get isDead(): boolean {
    return this.#membership.state === 'dead';
  }

  async list(): Promise<readonly (StoredNode & { readonly sessions: number })[]> {
    const [{ nodes }, counts] = await Promise.all([this.#nodes.look(), this.#nodes.sessionCounts()]);
    return nodes.map((node) => ({ ...node, sessions: counts.get(node.id) ?? 0 }));
  }

  async drain(id: NodeId, draining: boolean): Promise<boolean> {
    return this.#nodes.drain(id, draining);
  }

  /** Joins, and claims nothing before it knows what the others know: `adopt` is for afterwards. */
  async join(registry: Registry, hub: Hub, questions: Questions): Promise<void> {
    this.#registry = registry;
    const context = this.#context;
    this.#inbox = new Inbox(context, this.#nodes, registry, questions);
    this.#feed = new ClusterFeed(context, hub);
    await this.#membership.join();
    await this.#feed.begin();
    await this.#throttles.begin(registry.providers);
    this.#stopHints = this.#nodes.onHint((hint) => {
      if (hint === 'events') {
        this.#feed?.wake();
      } else if (hint === 'nodes') {
        void this.adopt();
        void this.#give();
      } else if (hint === 'throttles') {
        this.#throttles.look();
      } else {
        this.#lookForLetters();
      }
    });
    this.#stopGuard = this.#options.guard?.listen({
      onFrozen: () => {
        this.#isFrozen = true;
        registry.actors().forEach(({ deadlines }) => deadlines.freeze());
      },
      onThawed: () => {
        this.#isFrozen = false;
        registry.actors().forEach(({ deadlines }) => deadlines.thaw());
      },
    });
    this.#isReady = true;
    this.#poll();
  }

  /** A command for a session of another node: its answer once that is stored there. Throws `owner_unreachable`, with nothing done. */
  async command(session: SessionKey, input: Input): Promise<Reply> {
    const body = { kind: 'command', input } as const;
    return (await this.#letters.ask({ session }, body, answerMs(this.#options.times))) as Reply;
  }

  /** Of the owner of a session. */
  ask(session: SessionKey, ask: string, about: unknown, withinMs = answerMs(this.#options.times)): Promise<unknown> {
    return this.#letters.ask({ session }, { kind: 'question', ask, about }, withinMs);
  }

  /** Of every other node; what does not answer in time is left out. */
  async askAll(ask: string, about: unknown): Promise<readonly unknown[]> {
    const others = (await this.#nodes.look()).nodes.filter(({ id }) => id !== this.id);
    const answers = await Promise.allSettled(
      others.map(({ id }) => this.#letters.ask({ node: id }, { kind: 'question', ask, about }, questionMs)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** See cluster-member/3. */
  whenAlive(run: () => void): void {
    this.#membership.whenAlive(run);
  }

  /** This node has committed events. */
  committed(): void {
    if (!this.#membership.isAlone) {
      this.#nodes.hintEvents();
    }
    this.#feed?.wake();
  }

  unsure(session: SessionKey): void {
    this.#unsure.add(session);
  }

  fenced(session: SessionKey): void {
    this.#rewound.add(session);
  }

  /** It is given back with the next poll, unless it is wanted before. */
  rests(session: SessionKey, lease: number): void {
    if (!this.#sealed) {
      this.#resting.set(session, lease);
    }
  }

  /** Takes up what nobody alive owns. Resolves when there is no more to be had. */
  adopt(): Promise<void> {
    this.#adoptsAgain = true;
    this.#adopting ??= this.#adoptAll().finally(() => {
      this.#adopting = null;
    });
    return this.#adopting;
  }

  /** What is free since it has looked is looked for again. */
  async #adoptAll(): Promise<void> {
    while (this.#adoptsAgain && !this.#sealed) {
      this.#adoptsAgain = false;
      await this.#adopt();
    }
  }

  async #adopt(): Promise<void> {
    const registry = this.#registry;
    try {
      while (registry !== null && !this.#sealed && !this.claimsNothing) {
        const free = await this.#nodes.orphans(adoptPage);
        if (free.length > 0) {
          await this.#placement.look();
        }
        // One whose agent does not go keeps the others waiting no longer.
        const keys = [...new Set([...this.#placement.choose(free), ...this.#unsure])].filter(
          (key) => registry.live(key)?.host.running !== true,
        );
        this.#unsure.clear();
        const found = await Promise.allSettled(keys.map(async (key) => registry.actor(key)));
        const actors = found.flatMap((one) =>
          one.status === 'rejected' || 'elsewhere' in one.value ? [] : [one.value],
        );
        await registry.untilNone(actors, (actor) => actor.busy);
        if (actors.length > 0) {
          this.#lookForLetters();
        }
        // None: others were faster, or are to take them.
        if (free.length < adoptPage || actors.length === 0) {
          return;
        }
      }
    } catch (error) {
      // The next poll goes on.
      this.#context.onError(error, 'takeover');
    }
  }

  #lookForLetters(): void {
    this.#letters.look();
    this.#inbox?.look();
  }

  #poll(): void {
    this.#cancelPoll = this.#context.clock.timer(this.#options.pollMs, () => {
      this.#poll();
      this.#lookForLetters();
      this.#feed?.poll();
      void this.adopt();
      this.#tellRewound();
      void this.#give();
      void this.#giveBack();
      void this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    const now = this.#context.clock.now();
    if (now - this.#sweptAt < sweepMs) {
      return;
    }
    this.#sweptAt = now;
    try {
      await this.#nodes.sweep();
    } catch (error) {
      this.#context.onError(error, 'sweep');
    }
  }

  async #giveBack(): Promise<void> {
    await Promise.all([...this.#resting.keys()].map((session) => this.conversations.kept(session)));
    const list = [...this.#resting].filter(([session]) => this.#registry?.isOpen(session) !== true);
    this.#resting.clear();
    if (list.length === 0) {
      return;
    }
    try {
      await this.#nodes.release(list.map(([session, lease]) => ({ session, lease })));
    } catch (error) {
      // They stay ours until somebody asks us for them.
      this.#context.onError(error, 'release');
    }
  }

  belongsElsewhere(session: SessionKey): boolean {
    return !this.#resting.has(session) && !this.#unsure.has(session) && this.#placement.belongsElsewhere(session);
  }

  lacks(session: SessionKey): string | null {
    return this.#placement.lacks(session);
  }

  noneBetter(session: SessionKey): string | null {
    return this.#placement.noneBetter(session);
  }

  waits(): void {
    void this.#give();
  }

  /** Gives sessions with a waiting start to nodes that suit them better. */
  #give(): Promise<void> {
    this.#gives = true;
    this.#giving ??= this.#giveAll().finally(() => {
      this.#giving = null;
    });
    return this.#giving;
  }

  async #giveAll(): Promise<void> {
    const registry = this.#registry;
    try {
      while (this.#gives && registry !== null && !this.#sealed) {
        this.#gives = false;
        const waiting = registry.actors().filter(isMovable);
        if (waiting.length === 0 || this.claimsNothing) {
          return;
        }
        await this.#placement.look();
        const keys = new Set(this.#placement.better(waiting.map(({ key }) => key)));
        const moving = waiting.filter(({ key }) => keys.has(key));
        await registry.untilNone(moving, ({ busy }) => busy);
        await this.#move(
          registry,
          moving.filter((actor) => isMovable(actor) && !actor.busy),
        );
      }
    } catch (error) {
      // The next poll looks again.
      this.#context.onError(error, 'placement');
    }
  }

  async #move(registry: Registry, actors: readonly SessionActor[]): Promise<void> {
    for (const actor of actors) {
      actor.fence(null, sessionMoved(actor.key));
    }
    await Promise.all(actors.map(({ host }) => host.gone()));
    for (const actor of actors) {
      registry.left(actor);
      this.#resting.set(actor.key, actor.lease);
    }
    if (actors.length > 0) {
      await this.#giveBack();
    }
  }

  #renewed(): void {
    if (this.#drains && !this.#draining && !this.#sealed) {
      this.#draining = true;
      void this.#drain().finally(() => {
        this.#draining = false;
      });
    }
  }

  /** Behind a failover that has lost its last moments a session may be somebody else's again, or this node's without its last events. */
  async #verify(isOtherEra: boolean): Promise<void> {
    const owned = this.#registry?.actors().filter(({ detached }) => !detached) ?? [];
    const lost = new Set(await this.#nodes.lost(owned.map(({ key, lease }) => ({ session: key, lease }))));
    for (const actor of owned) {
      if (lost.has(actor.key)) {
        actor.fence(null, sessionMoved(actor.key));
        if (isOtherEra) {
          this.#rewound.add(actor.key);
        }
      }
    }
  }

  /** What was given away in what is lost, or rewound, is this node's without being open. */
  async #settled(): Promise<void> {
    try {
      if (this.#registry !== null) {
        (await this.#nodes.owned()).forEach((key) => this.#unsure.add(key));
      }
    } catch (error) {
      this.#context.onError(error, 'takeover');
    }
    await this.adopt();
    for (const session of this.#rewound) {
      this.#rewound.delete(session);
      this.#untold.add(session);
    }
    this.#tellRewound();
  }

  /** On the tape of each such session, by whom it is now. What nobody took is told again with the next poll. */
  #tellRewound(): void {
    const { clock, onError } = this.#context;
    for (const session of this.#untold) {
      this.#untold.delete(session);
      const input = { type: 'rewound', at: clock.wall(), node: this.#options.facts.name } as const;
      this.command(session, input).catch((error: unknown) => {
        onError(error, 'rewound');
        if (!this.#sealed && error instanceof AppError && error.code === 'owner_unreachable') {
          this.#untold.add(session);
        }
      });
    }
  }

  async #drain(): Promise<void> {
    const registry = this.#registry;
    if (registry === null) {
      return;
    }
    const { clock, limits } = this.#context;
    const { note } = this.#options;
    const sessions = registry.actors().filter(({ detached }) => !detached).length;
    if (sessions > 0) {
      note?.(
        `it drains: ${sessions} sessions are handed over, each at the end of its turn, at the latest after ${limits.graceMs} ms`,
      );
    }
    const handed = await handOver({ clock, registry }, limits.graceMs, sessionMoved);
    for (const actor of handed) {
      registry.left(actor);
      this.#resting.set(actor.key, actor.lease);
    }
    await this.#giveBack();
    if (sessions > 0) {
      note?.(`it has handed ${handed.length} sessions over`);
    }
  }

  async #died(): Promise<void> {
    const registry = this.#registry;
    if (registry === null) {
      return;
    }
    const { onError, clock } = this.#context;
    this.#resting.clear();
    this.#unsure.clear();
    const actors = registry.actors();
    for (const actor of actors) {
      actor.fence(null, sessionMoved(actor.key));
    }
    if (this.#sealed) {
      return;
    }
    await Promise.all(actors.map((actor) => actor.host.gone()));
    for (const actor of actors) {
      registry.left(actor);
    }
    for (;;) {
      try {
        if (this.#sealed) {
          return;
        }
        await this.#membership.join();
        break;
      } catch (error) {
        onError(error, 'rejoin');
        await new Promise<void>((resolve) => {
          clock.timer(this.#options.pollMs, resolve);
        });
      }
    }
    this.#rewound.clear();
    await this.adopt();
  }

  /** From now on it takes nothing up; what it owns is still its own. */
  seal(): void {
    this.#sealed = true;
    this.#inbox?.close();
  }

  /** Its sessions are free. */
  async close(): Promise<void> {
    this.seal();
    this.#cancelPoll?.();
    this.#stopHints?.();
    this.#stopGuard?.();
    this.#feed?.close();
    const error: AppError = closing();
    await this.#letters.close(error);
    await this.conversations.allKept();
    await this.#membership.leave();
  }
}
