/**
 * What holders of external tasks ask. Each becomes an input of the actor of its session; `step` decides. None of these waits: who wants to
 * wait asks again after the next event of the task.
 */
import { epoch as epochOf, type Epoch, sessionKey, taskId, type TurnId } from '../../core/model/ids.ts';
import type { Claimed, Reply } from '../../core/model/replies.ts';
import { treeGet } from '../../core/tree.ts';
import { leaseBounds } from '../../protocol/holds.ts';
import type { StoredTask } from '../../store/port.ts';
import type { ClaimAnswer, CommandAnswer, HolderCommands, HolderTurnAnswer, Refused, TurnAnswer } from '../api.ts';
import { jsonValue } from '../json.ts';
import type { RuntimeParts } from '../parts.ts';
import { refused } from '../refusals.ts';
import { ask, type MakeInput } from './tasks.ts';

export function holderCommands(parts: RuntimeParts): HolderCommands {
  const { context } = parts;
  const command = async (task: string, make: MakeInput): Promise<CommandAnswer> => {
    const answer = await ask(parts, task, make);
    return answer.kind === 'ended' ? refused('evicted') : (refusalOf(answer.reply) ?? { kind: 'ok' });
  };
  return {
    async claim(task, { holder, leaseMs = context.limits.leaseMs }) {
      const lease = Math.min(leaseBounds.maxMs, Math.max(leaseBounds.minMs, Math.round(leaseMs)));
      const answer = await ask(parts, task, (id, at) => ({ type: 'claim', at, task: id, holder, leaseMs: lease }));
      if (answer.kind === 'ended') {
        return refused('task_ended');
      }
      return answer.reply.kind === 'claimed'
        ? claimAnswer(parts, task, answer.reply)
        : (refusalOf(answer.reply) ?? refused('closing'));
    },
    turn: (task, request) => turn(parts, task, request),
    waits(task, session, asked) {
      const live = parts.registry.live(sessionKey(session));
      const known = live === null || live.detached ? undefined : treeGet(live.session.tasks, taskId(task));
      if (known === undefined) {
        return false;
      }
      return 'holder' in asked
        ? known.holder?.name === asked.holder && known.run === null
        : known.run === asked.epoch && known.call?.id === asked.call;
    },
    progress: (task, { epoch, data }) =>
      command(task, (id, at) => ({ type: 'progress', at, task: id, run: epochOf(epoch), data: jsonValue(data) })),
    heartbeat: (task, { epoch }) =>
      command(task, (id, at) => ({ type: 'heartbeat', at, task: id, run: epochOf(epoch) })),
    async release(task, { epoch }) {
      const answer = await ask(parts, task, (id, at) => ({ type: 'release', at, task: id, run: epochOf(epoch) }));
      if (answer.kind === 'ended') {
        return refused('evicted');
      }
      const { reply } = answer;
      parts.registry.holders.forget(taskId(task), epochOf(epoch));
      // It has given the session back before, or its task is about to end.
      return reply.kind === 'stale' && reply.what === 'unexpected'
        ? { kind: 'ok' }
        : (refusalOf(reply) ?? { kind: 'ok' });
    },
    async finish(task, { epoch, status, reason, result }) {
      const run = epochOf(epoch);
      const answer = await ask(parts, task, (id, at) => ({
        type: 'finish',
        at,
        task: id,
        run,
        status,
        reason: reason ?? (status === 'completed' ? 'completed' : 'runner_failed'),
        result: jsonValue(result),
      }));
      const isStale = answer.kind === 'reply' && answer.reply.kind === 'stale' && answer.reply.what === 'epoch';
      const left = answer.kind === 'ended' ? answer.task : isStale ? await context.store.task(taskId(task)) : null;
      if (left !== null && (await isItsEnd(parts, left, run, status))) {
        return { kind: 'ok' };
      }
      if (answer.kind === 'ended') {
        return refused('evicted');
      }
      parts.registry.holders.forget(taskId(task), run);
      return refusalOf(answer.reply) ?? { kind: 'ok' };
    },
  };
}

/** The holder has ended the task itself, at once or with the turn that is being interrupted, and the answer to that was lost. */
async function isItsEnd(parts: RuntimeParts, stored: StoredTask, run: Epoch, status: string): Promise<boolean> {
  const { row, final, endedAt } = stored;
  const end = endedAt === null ? row.verdict : { by: final?.by, status: stored.status };
  if (end?.by?.kind !== 'runner' || end.status !== status) {
    return false;
  }
  return (row.run ?? (await lastRun(parts, stored))) === run;
}

/** Of a task whose row has forgotten its run with its end: the epoch of the first grant behind the last claim that was granted. */
async function lastRun({ context }: RuntimeParts, { session, row }: StoredTask): Promise<Epoch | null> {
  let run: Epoch | null = null;
  let isClaimed = false;
  let after = 0;
  for (;;) {
    const events = await context.store.tape(session, row.id, after, pageSize);
    for (const event of events) {
      after = event.seq;
      if (event.type === 'claimed') {
        isClaimed = true;
      } else if ((event.type === 'granted' || event.type === 'resumed') && isClaimed) {
        run = event.data.epoch;
        isClaimed = false;
      }
    }
    if (events.length === 0) {
      return run;
    }
  }
}

/** Null: the core has done it. */
function refusalOf(reply: Reply): Refused | null {
  if (reply.kind === 'refused') {
    return refused(reply.code);
  }
  return reply.kind === 'stale' ? refused(reply.what === 'fenced' ? 'closing' : 'evicted') : null;
}

async function claimAnswer(parts: RuntimeParts, task: string, claimed: Claimed): Promise<ClaimAnswer> {
  const stored = await parts.context.store.task(taskId(task));
  if (stored === null || stored.endedAt !== null) {
    return refused(stored === null ? 'unknown_task' : 'task_ended');
  }
  const { run, attempt, interruptedMidTurn, call } = claimed;
  const leaseMs = leaseOf(parts, stored);
  if (run === null) {
    return { kind: 'waiting', session: stored.session, leaseMs };
  }
  const { prompt, input } = stored.payload;
  return {
    kind: 'granted',
    session: stored.session,
    leaseMs,
    epoch: run,
    prompt,
    input,
    attempt,
    interruptedMidTurn,
    call,
  };
}

/** As the session has it now. */
const leaseOf = ({ context, registry }: RuntimeParts, { session, row }: StoredTask): number => {
  const live = registry.live(session);
  const task = live === null ? undefined : treeGet(live.session.tasks, row.id);
  return task?.holder?.leaseMs ?? context.limits.leaseMs;
};

/** Asks the node that has the prompts and the answers of the task's calls; null: this one has. */
async function ownerOf(
  { context, registry, cluster, ready }: RuntimeParts,
  task: string,
): Promise<((ask: string, about: unknown) => Promise<unknown>) | null> {
  await ready;
  const stored = cluster === null ? null : await context.store.task(taskId(task));
  if (cluster === null || stored === null || stored.endedAt !== null) {
    return null;
  }
  const found = registry.placed(stored.session);
  const actor = found instanceof Promise ? await found : found;
  return 'elsewhere' in actor ? (ask, about) => cluster.ask(stored.session, ask, about) : null;
}

async function turn(
  parts: RuntimeParts,
  task: string,
  request: Parameters<HolderCommands['turn']>[1],
): Promise<HolderTurnAnswer> {
  const owner = await ownerOf(parts, task);
  if (owner !== null) {
    return (await owner('turn', { task, request })) as HolderTurnAnswer;
  }
  const { epoch, call, prompt, model } = request;
  const { holders } = parts.registry;
  const id = taskId(task);
  const run = epochOf(epoch);
  const open = holders.openCall(id, run, call);
  const live = open === null ? null : parts.registry.live(open.session);
  const asked = live === null ? undefined : treeGet(live.session.tasks, id);
  // A hold that was given back in its turn ends the call without an answer.
  const isOpen = asked?.run === run && asked.call?.id === call;
  if (open !== null && live !== null && !live.detached && isOpen) {
    live.deadlines.renewLease(id);
    return { kind: 'waiting', call, leaseMs: open.leaseMs };
  }
  const takeBack = holders.offer(id, run, call, prompt);
  let answer: Awaited<ReturnType<typeof ask>>;
  try {
    answer = await ask(parts, task, (_, at) => ({ type: 'call', at, task: id, run, call, model: model ?? null }));
  } catch (error) {
    takeBack();
    throw error;
  }
  if (answer.kind === 'ended') {
    takeBack();
    return refused('evicted');
  }
  const { reply, stored } = answer;
  if (stored === null) {
    takeBack();
    return refused('unknown_task');
  }
  if (reply.kind === 'ok') {
    const leaseMs = leaseOf(parts, stored);
    holders.taken(id, run, call, { session: stored.session, leaseMs });
    return { kind: 'waiting', call, leaseMs };
  }
  const kept = holders.answerOf(id, run, call);
  if (kept === null) {
    takeBack();
  }
  return reply.kind === 'answered'
    ? { kind: 'answered', call, answer: kept ?? (await answerOnTape(parts, stored, reply.turn)) }
    : (refusalOf(reply) ?? refused('evicted'));
}

/** Events read from the store at a time. */
const pageSize = 500;

/** The answer of a turn that a daemon before this one had: its outcome and its text as the tape has them. */
async function answerOnTape({ context }: RuntimeParts, stored: StoredTask, turnId: TurnId): Promise<TurnAnswer> {
  let text = '';
  let after = 0;
  for (;;) {
    const events = await context.store.tape(stored.session, stored.row.id, after, pageSize);
    for (const event of events) {
      after = event.seq;
      if (event.type === 'output' && event.data.turn === turnId) {
        const { part } = event.data;
        text =
          part.kind === 'text' ? text + part.text : part.kind === 'retraction' ? text.slice(0, -part.length) : text;
      } else if (event.type === 'turn-ended' && event.data.turn === turnId) {
        const { outcome, usage, cost, failure, error } = event.data;
        return {
          outcome,
          text,
          ...(usage === null ? {} : { usage }),
          ...(cost === null ? {} : { cost }),
          ...(failure === null ? {} : { failure }),
          ...(error === null ? {} : { error }),
        };
      }
    }
    if (events.length === 0) {
      return { outcome: 'agent-lost', text };
    }
  }
}
