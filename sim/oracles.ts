/** What must hold of the disk when all is over: every promise kept, every tape whole. */
import type { TurnId } from '../src/core/model/ids.ts';
import type { RuntimeStats } from '../src/runtime/api.ts';
import type { FeedEvent, Page, Store, StoredEvent, StoredTask } from '../src/store/index.ts';
import { same } from '../test/support/trace.ts';
import type { Submission } from './ledger.ts';
import { judgePermissions, judgeRetries } from './oracles-supervised.ts';
import type { WorldApi } from './world-api.ts';

const now = <T>(value: T | Promise<T>): T => {
  if (value instanceof Promise) {
    throw new Error('the simulator drives stores that answer at once');
  }
  return value;
};

function allTasks(store: Store): StoredTask[] {
  const tasks: StoredTask[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<StoredTask> = now(store.tasks({}, cursor, 200));
    tasks.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return tasks;
}

/** What is still there when nothing is due any more. */
export function leftBehind(stats: RuntimeStats, timers: number, processes: number): string[] {
  const { queueDepth, store } = stats;
  return Object.entries({
    'sessions live': stats.sessionsLive,
    'agents running': stats.agentsRunning,
    holds: stats.holds,
    queued: queueDepth.interactive + queueDepth.background,
    'open tasks': store === null ? Number.NaN : store.tasks.queued + store.tasks.running,
    timers,
    'agent processes': processes,
  }).flatMap(([name, value]) => (value === 0 ? [] : [`${value} ${name} left`]));
}

export function judgeTapes(world: WorldApi, store: Store): void {
  const tasks = allTasks(store);
  const tapes = new Map<string, readonly StoredEvent[]>();
  for (const task of tasks) {
    const tape = now(store.tape(task.session, task.row.id, 0, 100_000));
    tapes.set(task.row.id, tape);
    judgeTape(world, task, tape);
    judgeReason(world, task);
    judgeTurns(world, task, tape);
    judgePermissions(world, task, tape);
    judgeRetries(world, task, tape);
  }
  judgeSubmissions(world, tasks);
  judgeReaders(world, tapes);
  judgeFeed(world, store);
  const { lateDropped } = now(store.stats());
  if (lateDropped > 0) {
    world.violate('nothing is written after final', `${lateDropped} late events`);
  }
}

/** Dense, `queued` first, `final` once and last, and of one mind with the status. */
function judgeTape(world: WorldApi, task: StoredTask, tape: readonly StoredEvent[]): void {
  const { id } = task.row;
  const last = tape.at(-1);
  if (task.endedAt === null || last?.type !== 'final') {
    world.violate('every task ends', `${id} is ${task.status}, its tape ends with ${last?.type}`);
    return;
  }
  if (tape[0]?.type !== 'queued') {
    world.violate('a tape begins with queued', `${id} begins with ${tape[0]?.type}`);
  }
  for (const [at, event] of tape.entries()) {
    if (event.seq !== at + 1) {
      world.violate('a tape is dense', `event ${at + 1} of ${id} is number ${event.seq}`);
    }
    if (event.type === 'final' && event !== last) {
      world.violate('final comes once, last', `event ${event.seq} of ${id} is final, of ${tape.length}`);
    }
  }
  if (last.data.status !== task.status || last.data.reason !== task.reason || task.seq !== tape.length) {
    world.violate(
      'status agrees with final',
      `${id} is ${task.status} ${task.reason} ${task.seq}, final ${JSON.stringify(last.data)}`,
    );
  }
}

/** Nobody is ended who was not asked to, and every ask has its own reason code. */
function judgeReason(world: WorldApi, task: StoredTask): void {
  const { id } = task.row;
  const { ledger } = world;
  const asked =
    task.reason === 'cancelled'
      ? ledger.did('cancel', id)
      : task.reason === 'stopped'
        ? ledger.did('stop', task.session)
        : task.reason === 'evicted'
          ? ledger.did('evict', task.session)
          : true;
  if (!asked) {
    world.violate('nobody is ended unasked', `${id} ended ${task.status} ${task.reason}`);
  }
  if (task.row.attempts > task.row.maxAttempts) {
    world.violate('attempts are bounded', `${id} had ${task.row.attempts} of ${task.row.maxAttempts}`);
  }
  const edited = ledger.edits.get(id);
  const submission = ledger.submissions[Number(task.payload.labels['n'])];
  if (
    submission?.request.prompt !== task.payload.prompt &&
    edited?.some(({ prompt }) => prompt === task.payload.prompt) !== true
  ) {
    world.violate('a task keeps its words', `${id} says ${task.payload.prompt}`);
  }
}

/** Outcomes are what the agent said, turns come in order, what was preempted is resumed, what was cut off is told. */
function judgeTurns(world: WorldApi, task: StoredTask, tape: readonly StoredEvent[]): void {
  const { id } = task.row;
  let turn: TurnId | null = null;
  let cut = false;
  let completed = task.row.mode === 'code';
  for (const event of tape) {
    const at = `event ${event.seq} of ${id}, ${event.type}`;
    if (event.type === 'turn-sent') {
      if (turn !== null) {
        world.violate('turns are taken one at a time', at);
      }
      if (cut && !event.data.interruptedMidTurn) {
        world.violate('what was cut off is told', at);
      }
      turn = event.data.turn;
    } else if (event.type === 'turn-ended') {
      const { outcome } = event.data;
      if (event.data.turn !== turn || turn === null) {
        world.violate('turns are taken one at a time', at);
      }
      if (outcome === 'completed' && !world.ledger.said(task.session, Number(turn), 'completed')) {
        world.violate('outcomes are stated', `${at}: no agent said so`);
      }
      completed ||= outcome === 'completed';
      cut = outcome === 'agent-lost';
      turn = null;
    }
  }
  const rode = task.reason === 'answered_with';
  if (task.status === 'completed' && !completed && !rode) {
    world.violate('outcomes are stated', `${id} completed without a completed turn`);
  }
  if (task.status === 'completed' && !completed && !world.ledger.heard.has(Number(task.payload.labels['n']))) {
    world.violate('nothing accepted is lost', `${id} completed and no agent was told of it`);
  }
}

/** A key belongs to its source. */
const keyOf = (source: string, key: string): string => JSON.stringify([source, key]);

function judgeSubmissions(world: WorldApi, tasks: readonly StoredTask[]): void {
  const bySubmission = new Map<number, StoredTask>();
  const byKey = new Map<string, string>();
  for (const task of tasks) {
    const n = Number(task.payload.labels['n']);
    if (bySubmission.has(n)) {
      world.violate(
        'one task a submission',
        `${task.row.id} and ${bySubmission.get(n)?.row.id} are both of submission ${n}`,
      );
    }
    bySubmission.set(n, task);
    const key = task.payload.idempotencyKey;
    if (key !== null) {
      const place = keyOf(task.payload.source, key);
      if (byKey.has(place)) {
        world.violate('one task a key', `${task.row.id} and ${byKey.get(place)} both have ${place}`);
      }
      byKey.set(place, task.row.id);
    }
  }
  for (const submission of world.ledger.submissions) {
    judgeSubmission(world, submission, bySubmission.get(submission.n) ?? null, byKey);
  }
}

function judgeSubmission(
  world: WorldApi,
  submission: Submission,
  task: StoredTask | null,
  byKey: ReadonlyMap<string, string>,
): void {
  const { n, state } = submission;
  const { source = 'api', idempotencyKey = '' } = submission.request;
  switch (state) {
    case 'accepted':
      if (task === null || task.row.id !== submission.task) {
        world.violate('nothing accepted is lost', `submission ${n} was accepted as ${submission.task}`);
      }
      return;
    case 'duplicate':
      if (task !== null || byKey.get(keyOf(source, idempotencyKey ?? '')) !== submission.task) {
        world.violate('one task a key', `submission ${n} was told that it is ${submission.task}`);
      }
      return;
    case 'refused':
    case 'error':
      if (task !== null) {
        world.violate('what is refused leaves nothing', `submission ${n} was refused, ${task.row.id} exists`);
      }
      return;
    case 'asked':
      world.violate('every call is answered', `submission ${n}`);
      return;
    case 'unknown':
      return;
  }
}

function judgeReaders(world: WorldApi, tapes: ReadonlyMap<string, readonly StoredEvent[]>): void {
  for (const { n, task, after, events } of world.readers.followers) {
    const expected = (tapes.get(task) ?? []).slice(after);
    if (!sameEvents(events, expected)) {
      world.violate(
        'readers see each event once, in order',
        `follower ${n} of ${task} read ${events.length} of ${expected.length}, or others`,
      );
    }
  }
}

/** What each daemon published is the feed from where it began, without a gap. */
function judgeFeed(world: WorldApi, store: Store): void {
  const feed: FeedEvent[] = [];
  for (let position: string | null = null; ;) {
    const page: readonly FeedEvent[] = now(store.feed(null, position, 1000));
    feed.push(...page);
    position = page.at(-1)?.position ?? null;
    if (position === null) {
      break;
    }
  }
  if (feed.length !== world.facts.events) {
    world.violate('the records are what is stored', `${feed.length} events stored, ${world.facts.events} committed`);
  }
  judgeOwners(world, feed);
  for (const [number, { from, published }] of world.daemons.entries()) {
    if (!sameEvents(published, feed.slice(from, from + published.length))) {
      world.violate(
        'readers see each event once, in order',
        `daemon ${number + 1} published other than the feed from ${from}`,
      );
    }
  }
}

/** One owner at a time, as all tapes together tell it; only the owner takes turns, and epochs only grow. */
function judgeOwners(world: WorldApi, feed: readonly FeedEvent[]): void {
  const owners = new Map<string, { owner: string | null; left: string | null; epoch: number }>();
  for (const event of feed) {
    const { session, task, type, seq } = event;
    const held = owners.get(session) ?? { owner: null, left: null, epoch: 0 };
    owners.set(session, held);
    const at = `event ${seq} of ${task ?? session}, ${type}, while ${held.owner} owns ${session}`;
    if (event.type === 'granted' || event.type === 'resumed') {
      const { epoch } = event.data;
      if (held.owner !== null || epoch <= held.epoch) {
        world.violate('one owner', at);
      }
      Object.assign(held, { owner: task, epoch });
    } else if (type === 'recovered' || type === 'fault') {
      // What follows of its turn is told behind it.
      held.left = held.owner;
      held.owner = null;
    } else if (type === 'turn-sent' || type === 'preempted') {
      if (held.owner !== task && (type === 'turn-sent' || held.left !== task)) {
        world.violate('one owner', at);
      }
      held.owner = type === 'preempted' ? null : task;
    } else if ((type === 'final' || type === 'turn-retried') && held.owner === task) {
      // It has ended, or waits for another try.
      held.owner = null;
    }
  }
}

/** As a reader sees them: what JSON cannot say is not there. */
const sameEvents = (a: readonly StoredEvent[], b: readonly StoredEvent[]): boolean =>
  a.length === b.length && a.every((event, at) => same(plain(event), plain(b[at])));

const plain = (event: StoredEvent | undefined): unknown =>
  event === undefined ? null : [event.session, event.task, event.seq, event.at, event.type, JSON.stringify(event.data)];
