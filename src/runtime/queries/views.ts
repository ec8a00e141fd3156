/** What can be read of a runtime: tasks, sessions, tapes, live events, explanations and figures. Reads, never decides. */
import { AppError } from '../../core/errors.ts';
import { type TaskId, taskId } from '../../core/model/ids.ts';
import { treeEntries, treeGet, treeSize } from '../../core/tree.ts';
import type { Store, StoredTask } from '../../store/port.ts';
import type { Actor } from '../session/actor.ts';
import type { LiveSession, PermissionRequestView, RuntimeStats, SessionView, Signalbox } from '../api.ts';
import { agentOf, permissionRequestsOf, explainEnded, explainOpen, ownerOf } from './explain.ts';
import { follow } from './follow.ts';
import type { Hub } from './hub.ts';
import { liveMax, liveSession } from './live.ts';
import type { Context } from '../options.ts';
import type { ProviderView } from '../throttle/providers.ts';
import type { Registry } from '../session/registry.ts';
import type { KeyResolver } from '../session-keys.ts';
import type { Stats } from './stats.ts';

/** How often `explain` looks again at a task that its session does not have (any more): once or twice is enough. */
const looksMax = 10;
/** Waiting tasks that a session's view lists by id. */
const queueListed = 1000;

export interface ViewParts {
  readonly context: Context;
  readonly registry: Registry;
  readonly hub: Hub;
  readonly stats: Stats;
  readonly key: KeyResolver;
  /** Recovery is done. */
  readonly ready: Promise<void>;
}

function modelOf(actor: Actor | null): string | null {
  const agent = actor?.committed.agent;
  return agent?.kind === 'up' || agent?.kind === 'starting' ? agent.model : null;
}

export class Views {
  readonly #context: Context;
  readonly #registry: Registry;
  readonly #hub: Hub;
  readonly #stats: Stats;
  readonly #key: KeyResolver;
  readonly ready: Promise<void>;

  constructor(parts: ViewParts) {
    this.#context = parts.context;
    this.#registry = parts.registry;
    this.#hub = parts.hub;
    this.#stats = parts.stats;
    this.#key = parts.key;
    this.ready = parts.ready;
  }

  get store(): Store {
    return this.#context.store;
  }

  async explain(task: string): Promise<ReturnType<typeof explainOpen> | null> {
    await this.ready;
    for (let look = 0; look < looksMax; look += 1) {
      const stored = await this.store.task(taskId(task));
      if (stored === null || stored.endedAt !== null) {
        return stored === null ? null : explainEnded(stored);
      }
      const found = this.#registry.actor(stored.session);
      const actor: Actor = found instanceof Promise ? await found : found;
      const open = treeGet(actor.committed.tasks, stored.row.id);
      if (open !== undefined) {
        return explainOpen(this.#context, actor, stored, open);
      }
      // It has ended since, or its admission is stored and that is not known here yet.
      await this.#registry.until(() => !actor.writing);
    }
    throw new AppError({
      code: 'invariant_broken',
      message: `task ${task} is open in the store and not in its session`,
    });
  }

  async task(id: string): Promise<StoredTask | null> {
    return this.store.task(taskId(id));
  }

  async tasks(...args: Parameters<Signalbox['tasks']>): ReturnType<Signalbox['tasks']> {
    return this.store.tasks(...args);
  }

  async session(key: string): Promise<SessionView | null> {
    await this.ready;
    const resolved = this.#key(key);
    const summary = await this.store.session(resolved);
    if (summary === null) {
      return null;
    }
    const actor = this.#registry.live(resolved);
    const queue: TaskId[] = [];
    if (actor !== null) {
      for (const [, id] of treeEntries(actor.committed.queue)) {
        queue.push(id);
        if (queue.length >= queueListed) {
          break;
        }
      }
    }
    const parked = summary.row.parked;
    return {
      ...summary,
      owner: actor === null ? null : ownerOf(actor),
      agent: actor === null ? 'none' : agentOf(actor),
      model: modelOf(actor),
      queue,
      throttle: actor?.throttle.view() ?? null,
      permissionRequests: actor === null ? [] : permissionRequestsOf(this.#context, actor),
      fault: parked !== null && parked.startsWith('fault') ? parked : null,
    };
  }

  inspect(): readonly LiveSession[] {
    return this.#registry.actors().slice(0, liveMax).map(liveSession);
  }

  processes(): ReturnType<Signalbox['processes']> {
    return this.#registry.actors().flatMap(({ host }) => host.facts()?.process ?? []);
  }

  async permissionRequests(): Promise<readonly PermissionRequestView[]> {
    await this.ready;
    return this.#registry
      .actors()
      .flatMap((actor) => permissionRequestsOf(this.#context, actor))
      .toSorted((a, b) => a.since - b.since);
  }

  /** Whom the agent speaks to is there from the start. */
  async providers(): Promise<readonly ProviderView[]> {
    const { providers } = this.#registry;
    const own = this.#context.agent.provider;
    return [providers.view(own), ...providers.list().filter(({ name }) => name !== own)];
  }

  async sessions(...args: Parameters<Signalbox['sessions']>): ReturnType<Signalbox['sessions']> {
    return this.store.sessions(...args);
  }

  async tape(session: string, task: string | null, after: number, limit: number): ReturnType<Signalbox['tape']> {
    return this.store.tape(this.#key(session), task === null ? null : taskId(task), after, limit);
  }

  async feed(session: string | null, after: string | null, limit: number): ReturnType<Signalbox['feed']> {
    return this.store.feed(session === null ? null : this.#key(session), after, limit);
  }

  async feedEnd(session: string | null): Promise<string | null> {
    return this.store.feedEnd(session === null ? null : this.#key(session));
  }

  listen(...args: Parameters<Signalbox['listen']>): () => void {
    return this.#hub.listen(...args);
  }

  async *follow(task: string, after = 0, signal?: AbortSignal): ReturnType<Signalbox['follow']> {
    const stored = await this.task(task);
    if (stored === null) {
      throw new AppError({
        code: 'unknown_task',
        message: `there is no task ${task}`,
      });
    }
    yield* follow(this.store, this.#hub, stored.session, stored.row.id, after, signal);
  }

  async result(task: string, signal?: AbortSignal): Promise<StoredTask> {
    const known = await this.task(task);
    const iterator = this.follow(task, known?.seq === undefined ? 0 : Math.max(0, known.seq - 1), signal);
    for await (const event of iterator) {
      if (event.type === 'final') {
        break;
      }
    }
    const ended = await this.task(task);
    if (ended === null) {
      throw new AppError({ code: 'unknown_task', message: `there is no task ${task}` });
    }
    return ended;
  }

  async stats(): Promise<RuntimeStats> {
    const actors = this.#registry.actors();
    let holds = 0;
    let permissionRequests = 0;
    const throttled = { background: 0, all: 0 };
    const queueDepth = { interactive: 0, background: 0 };
    for (const { committed: session } of actors) {
      holds += session.hold === null ? 0 : 1;
      permissionRequests += session.hold?.turn?.permissionRequests.length ?? 0;
      if (session.throttle !== null) {
        throttled[session.throttle.level] += 1;
      }
      let interactive = 0;
      for (const [key] of treeEntries(session.queue)) {
        if (key.rank !== 0) {
          break;
        }
        interactive += 1;
      }
      queueDepth.interactive += interactive;
      queueDepth.background += treeSize(session.queue) - interactive;
    }
    return {
      store: await this.store.stats(),
      sessionsLive: actors.length,
      agentsRunning: this.#registry.pool.running,
      holds,
      queueDepth,
      permissionRequests,
      providers: await this.providers(),
      throttled,
      counters: this.#stats.counters(),
      histograms: this.#stats.histograms(),
    };
  }
}
