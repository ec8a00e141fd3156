/** Reads that need the live sessions: views, explanations and figures. They decide nothing. */
import { AppError } from '../../core/errors.ts';
import { type SessionKey, type TaskId, taskId } from '../../core/model/ids.ts';
import { onWire } from '../../core/rules/turn.ts';
import { treeEntries, treeGet, treeSize } from '../../core/tree.ts';
import type {
  AgentTurn,
  Explanation,
  PermissionRequestView,
  LiveReads,
  LiveSession,
  RuntimeStats,
  SessionView,
} from '../api.ts';
import type { SessionSummary } from '../../store/port.ts';
import { policyFor } from '../options.ts';
import type { RuntimeParts } from '../parts.ts';
import type { SessionActor } from '../session/actor.ts';
import type { NamedProvider } from '../throttle/providers.ts';
import { agentOf, explainEnded, explainOpen, ownerOf, permissionRequestsOf } from './explain.ts';
import { sessionNow, taskNow } from './states.ts';

/** How often `explain` retries for a task that its session does not have (any more): once or twice is enough. */
const triesMax = 10;
/** Waiting tasks that a session's view lists by id. */
const queueListed = 1000;
/** Sources in the figures: a name for each would be without bound. */
const sourcesListed = 20;
/** For the owner's part of a session's view; without an answer the view says what is stored. */
const viewMs = 2_000;
/** Sessions in a hang report: a longer report does not help a reader. */
const liveMax = 200;

export function liveReads(parts: RuntimeParts): LiveReads {
  const { context, registry } = parts;
  return {
    agentOf: (token) => context.agentTokens.sessionOf(token),
    turnOf: (session) => turnOf(parts, session),
    explain: (task) => explain(parts, task),
    session: (key) => sessionView(parts, key),
    taskNow: (task) => taskNow(registry.live(task.session), task),
    sessionNow: (session) => sessionNow(registry.live(session.key), session),
    inspect: () => registry.actors().slice(0, liveMax).map(liveSession),
    processes: () => registry.actors().flatMap(({ host }) => host.facts()?.process ?? []),
    async permissionRequests() {
      await parts.ready;
      const others = (await parts.cluster?.askAll('permissionRequests', null)) ?? [];
      const all = [...ownPermissionRequests(parts), ...(others.flat() as PermissionRequestView[])];
      return all.toSorted((a, b) => a.since - b.since);
    },
    async providers() {
      return providerViews(parts);
    },
    async openTasks() {
      await parts.ready;
      return registry.shares.view(sourcesListed);
    },
    stats: () => runtimeStats(parts),
  };
}

async function turnOf({ context, registry }: RuntimeParts, session: SessionKey): Promise<AgentTurn | null> {
  const actor = registry.live(session);
  const hold = actor?.committed.hold ?? null;
  if (actor === null || hold === null || !onWire(hold.turn)) {
    return null;
  }
  const task = await context.store.task(hold.task);
  const lane = treeGet(actor.committed.tasks, hold.task)?.lane ?? 'interactive';
  return task === null ? null : { task, lane, policy: policyFor(context.permissions, task.payload, lane) };
}

/** Those of the agents are first, and present from the start. */
export function providerViews({ context, registry: { providers } }: RuntimeParts): readonly NamedProvider[] {
  const own = context.fleet.providers();
  const others = providers.list().filter((one) => !own.some(({ name }) => name === one.name));
  return [
    ...own.map(({ name, agents }) => ({ ...providers.view(name), agents })),
    ...others.map((one) => ({ ...one, agents: [] })),
  ];
}

export async function explain(
  { context, registry, cluster, ready }: RuntimeParts,
  task: string,
): Promise<Explanation | null> {
  await ready;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const stored = await context.store.task(taskId(task));
    if (stored === null || stored.endedAt !== null) {
      return stored === null ? null : explainEnded(stored);
    }
    const found = cluster === null ? registry.actor(stored.session) : registry.placed(stored.session);
    const actor = found instanceof Promise ? await found : found;
    if ('elsewhere' in actor) {
      if (cluster === null) {
        throw new AppError({ code: 'owner_unreachable', message: 'the session has another owner by now' });
      }
      return (await cluster.ask(stored.session, 'explain', task)) as Explanation | null;
    }
    const open = treeGet(actor.committed.tasks, stored.row.id);
    if (open !== undefined) {
      return explainOpen(context, actor, stored, open);
    }
    // The task has ended since, or its admission is stored and the actor has not got the store's answer yet.
    await registry.until(() => !actor.writing);
  }
  throw new AppError({
    code: 'invariant_broken',
    message: `task ${task} is open in the store and not in its session`,
  });
}

export async function sessionView(parts: RuntimeParts, name: string): Promise<SessionView | null> {
  const { context, registry, cluster, key, ready } = parts;
  await ready;
  const resolved = key(name);
  const summary = await context.store.session(resolved);
  if (summary === null) {
    return null;
  }
  const actor = registry.live(resolved);
  if (actor === null && cluster !== null && !isAtRest(summary)) {
    const answer = await cluster.ask(resolved, 'session', name, viewMs).catch(() => null);
    if (answer !== null) {
      return answer as SessionView;
    }
  }
  const queue: TaskId[] = [];
  if (actor !== null) {
    for (const [, id] of treeEntries(actor.committed.indexes.queue)) {
      queue.push(id);
      if (queue.length >= queueListed) {
        break;
      }
    }
  }
  return {
    ...summary,
    ...sessionNow(actor, summary),
    owner: actor === null ? null : ownerOf(actor),
    agent: actor === null ? 'none' : agentOf(actor),
    model: modelOf(actor),
    queue,
    throttle: actor?.throttle.view() ?? null,
    permissionRequests: actor === null ? [] : permissionRequestsOf(context, actor),
  };
}

/** Nobody knows more of it than its row says. */
const isAtRest = ({ open, row }: SessionSummary): boolean => open === 0 && row.hold === null && row.parked === null;

export const ownPermissionRequests = ({ context, registry }: RuntimeParts): readonly PermissionRequestView[] =>
  registry.actors().flatMap((actor) => permissionRequestsOf(context, actor));

function modelOf(actor: SessionActor | null): string | null {
  const agent = actor?.committed.agent;
  return agent?.kind === 'up' || agent?.kind === 'starting' ? agent.model : null;
}

function liveSession(actor: SessionActor): LiveSession {
  const { committed: session, host } = actor;
  const owner = ownerOf(actor);
  const agent = host.facts();
  const turn = session.hold?.turn ?? null;
  return {
    session: actor.key,
    phase: `${agentOf(actor)}${owner === null ? '' : ` (${owner.phase})`}`,
    task: owner?.task ?? null,
    turn: owner?.turn ?? null,
    inTurn: turn !== null && turn.phase !== 'pending',
    queued: treeSize(session.indexes.queue),
    incarnation: agent?.incarnation ?? null,
    process: agent?.process ?? null,
    threadName: agent?.threadName ?? null,
    ending: agent?.ending ?? false,
    quietMs: agent?.quietMs ?? null,
    pending: agent?.pending ?? [],
    permissionRequests: turn?.permissionRequests.length ?? 0,
  };
}

async function runtimeStats(parts: RuntimeParts): Promise<RuntimeStats> {
  const { context, registry, stats } = parts;
  const actors = registry.actors();
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
    for (const [key] of treeEntries(session.indexes.queue)) {
      if (key.rank !== 0) {
        break;
      }
      interactive += 1;
    }
    queueDepth.interactive += interactive;
    queueDepth.background += treeSize(session.indexes.queue) - interactive;
  }
  return {
    store: await unlessAway(() => context.store.stats()),
    replies: await unlessAway(() => context.store.outbox.figures()),
    sessionsLive: actors.length,
    agentsRunning: registry.pool.running,
    holds,
    queueDepth,
    openTasks: registry.shares.view(sourcesListed),
    permissionRequests,
    providers: providerViews(parts),
    throttled,
    counters: stats.counters(),
    histograms: stats.histograms(),
  };
}

async function unlessAway<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch {
    // Whoever writes to it says why; the other figures are wanted now.
    return null;
  }
}
