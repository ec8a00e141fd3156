/**
 * What a `final` has to say: with which status a task ends, for which reason, by whom, after how many attempts, with which answer and
 * result. Stated a second time, from the input, the end of the turn and the task as it was.
 */
import type { TaskEventData } from '../../../../src/core/model/events.ts';
import type { InputOf } from '../../../../src/core/model/inputs.ts';
import type { PartEnding, Settlement } from '../../../../src/core/model/session.ts';
import type { Task, Verdict } from '../../../../src/core/model/task.ts';
import type { Report } from '../../report.ts';
import { alike } from './alike.ts';
import type { Facts, TurnEnd } from './facts.ts';
import { actor, entryOf, isLeft, leaderOf, lossOfParts, taskActor, whyLost } from './facts.ts';

type Final = TaskEventData['final'];
type Ending = Omit<Final, 'attempts'>;

const property = 'rule 10: a final says how its task ended, why, by whom, and with which answer';

const ends = (
  status: Final['status'],
  reason: string,
  by: Final['by'] = null,
  answer: Final['answer'] = null,
): Ending => ({
  status,
  reason,
  by,
  answer,
  result: null,
});

const ofVerdict = ({ status, reason, by, result }: Verdict): Ending => ({ status, reason, by, answer: null, result });

export function judgeFinals(facts: Facts, tasks: readonly Task[], report: Report): void {
  for (const record of facts.result.records) {
    if (record.type !== 'end') {
      continue;
    }
    const task = tasks.find(({ id }) => id === record.task);
    if (record.final.reason === expired.reason) {
      judgeExpired(facts, task, record.final, report);
      continue;
    }
    const wanted = task === undefined ? null : finalOf(facts, task);
    if (wanted !== null && !alike(record.final, wanted)) {
      report.fail(property, `${record.task} ends ${JSON.stringify(record.final)}, not ${JSON.stringify(wanted)}`);
    }
  }
  for (const settlement of facts.after.settling) {
    const wanted = settlementOf(facts, settlement);
    if (wanted !== null && !alike(settlement, wanted)) {
      report.fail(property, `its parts are to end ${JSON.stringify(settlement)}, not ${JSON.stringify(wanted)}`);
    }
  }
}

const expired = ends('failed', 'expired', actor('deadline', 'expiry'));

/** Only the time of a task itself ends it so, and only where nobody has decided another end; what is merged into it says with whom it failed. */
function judgeExpired({ input }: Facts, task: Task | undefined, final: Final, report: Report): void {
  const isUp =
    task?.overdue === true || (input.type === 'timer' && input.name === 'expiry' && input.subject === task?.id);
  if (task === undefined || !isUp || task.verdict !== null || task.mergedInto !== null) {
    report.fail(property, `${task?.id} ends expired, and its time is not up`);
  } else if (!alike(final, { ...expired, attempts: final.attempts })) {
    report.fail(property, `${task.id} ends ${JSON.stringify(final)}, not ${JSON.stringify(expired)}`);
  }
}

/** Null: nothing in this step ends it. */
function finalOf(facts: Facts, task: Task): Final | null {
  const ending = task.mergedInto === null ? ofEntry(facts, task) : null;
  if (ending !== null) {
    return { ...ending, attempts: task.attempts };
  }
  return task.mergedInto === null ? null : ofPart(facts, task, task.mergedInto);
}

/** A task that is not part of another's entry. */
function ofEntry(facts: Facts, task: Task): Ending | null {
  const { input, end, owner } = facts;
  if (end !== null && end.owner.id === task.id) {
    return ofTurn(end);
  }
  switch (input.type) {
    case 'cancel':
      return ends('cancelled', input.reason, input.by);
    case 'stop':
      return ends('cancelled', 'stopped', input.by);
    case 'submit':
      return ends('cancelled', reasonOf(input, task, owner), taskActor(input.task.id));
    case 'evict':
      return ends('failed', 'evicted', input.by);
    case 'finish':
      return { ...ends(input.status, input.reason, actor('runner')), result: input.result };
    case 'recovered':
      return ends('failed', 'node_restarted');
    case 'fault':
      return ends('failed', 'fault');
    case 'timer':
      if (input.name === 'lease') {
        return ends('failed', 'holder_lost', actor('deadline', 'lease'));
      }
      return input.name === 'hold' ? ends('failed', 'hold_limit', actor('deadline', 'hold')) : null;
    case 'agent-exited':
    case 'edit':
    case 'move':
    case 'park':
    case 'unpark':
    case 'restart-agent':
    case 'new-conversation':
    case 'assign-agent':
    case 'respond':
    case 'throttle':
    case 'report':
    case 'rewound':
    case 'make-room':
    case 'claim':
    case 'heartbeat':
    case 'call':
    case 'progress':
    case 'release':
    case 'agent-ready':
    case 'output':
    case 'switched':
    case 'unsolicited':
    case 'give-way':
    case 'turn-started':
    case 'ack':
    case 'result':
    case 'steered':
    case 'permission-requested':
    case 'permission-withdrawn':
    case 'turn-limit':
    case 'continue':
    case 'fenced':
      return null;
  }
}

function reasonOf({ task: { whenBusy } }: InputOf<'submit'>, task: Task, owner: Task | null): string {
  if (task.id !== owner?.id) {
    return task.status === 'queued' ? 'replaced' : 'interrupted';
  }
  return whenBusy === 'rollback' ? 'rolled_back' : 'interrupted';
}

/** The owner, whose turn on the wire is over. */
function ofTurn(end: TurnEnd): Ending {
  const { owner, verdict, outcome, given } = end;
  const report = given?.report ?? null;
  if (owner.mode === 'prompt' && outcome === 'completed') {
    return ends('completed', 'completed', null, report);
  }
  if (verdict !== null) {
    return ofVerdict(verdict);
  }
  return outcome === 'failed'
    ? ends('failed', report?.failure?.class ?? 'agent_failed', null, report)
    : ends('failed', whyLost(end));
}

const sharedReasons: { readonly [S in Final['status']]: string | null } = {
  completed: 'answered_with',
  failed: 'failed_with',
  cancelled: null,
};

/** Its turn was charged before its time was up. */
function charged({ end, result }: Facts, leader: Task): Task {
  const isExpired = result.records.some(
    (one) => one.type === 'end' && one.task === leader.id && one.final.reason === expired.reason,
  );
  return isExpired && end?.owner.id === leader.id && end.loss !== null && !isLeft(end.owner)
    ? { ...leader, attempts: leader.attempts + 1 }
    : leader;
}

/** A part ends with the task that leads its entry. */
function withLeader(leader: Task, { status, reason, by }: Ending, answer: Final['answer']): PartEnding {
  const own = sharedReasons[status];
  return {
    status,
    reason: own ?? reason,
    by: own === null ? by : taskActor(leader.id),
    attempts: leader.attempts,
    answer,
  };
}

const settled = (ending: PartEnding, part: Task): Final => ({
  ...ending,
  attempts: ending.attempts ?? part.attempts,
  result: null,
});

function ofPart(facts: Facts, part: Task, entry: Task['id']): Final | null {
  const { input, before, end, owner } = facts;
  const own = (ending: Ending): Final => ({ ...ending, attempts: part.attempts });
  const decided = before.settling.find((one) => one.kind !== 'begin' && one.entry === entry);
  const ending = decided === undefined ? null : endingOf(decided, part);
  if (ending !== null) {
    return settled(ending, part);
  }
  if (input.type === 'cancel' && input.task === part.id) {
    return own(ends('cancelled', input.reason, input.by));
  }
  if (decided !== undefined) {
    return leavesLate(facts, part, decided);
  }
  const leader = leaderOf(before, entry);
  if (leader === null) {
    return null;
  }
  if (part.stage === 'merged') {
    const shared = ofEntry(facts, leader);
    return shared === null ? null : settled(withLeader(charged(facts, leader), shared, shared.answer), part);
  }
  if (end !== null) {
    const left = leavesTurn(end);
    const last = endingOf(left, part);
    return last === null ? leavesLate(facts, part, left) : settled(last, part);
  }
  // It leaves a turn that goes on: refused by the agent, or meant by a second request for the end of its owner.
  if (input.type === 'steered' && owner?.verdict !== null && owner?.verdict !== undefined) {
    return own({ ...ofVerdict(owner.verdict), result: null });
  }
  const other = ofEntry(facts, leader);
  return other === null ? null : own(other);
}

/** How the part ends by what was decided for all; null: it goes on, or follows its own policy. */
function endingOf(settlement: Settlement, part: Task): PartEnding | null {
  switch (settlement.kind) {
    case 'begin':
      return null;
    case 'merged':
      return settlement.ending;
    case 'steered':
      return part.delivered ? settlement.delivered : settlement.undelivered;
  }
}

/** What was to wait on its own is stopped with the queue, or has no attempts left. */
function leavesLate({ input }: Facts, part: Task, settlement: Settlement): Final | null {
  if (settlement.kind !== 'steered') {
    return null;
  }
  const isStopped = input.type === 'stop' && input.scope !== 'turn';
  const ending = isStopped ? ends('cancelled', 'stopped', input.by) : ends('failed', settlement.loss ?? 'no cause');
  return { ...ending, attempts: part.attempts };
}

/** What becomes of what was steered into a turn that is over. */
function leavesTurn(end: TurnEnd): Settlement & { readonly kind: 'steered' } {
  const { owner, verdict, outcome, given, turn } = end;
  const report = given?.report ?? null;
  const stopped = verdict !== null && verdict.status === 'cancelled' && verdict.scope !== 'task' ? verdict : null;
  const completed = outcome === 'completed' ? ends('completed', '') : null;
  const ending = completed ?? (stopped === null ? null : ofVerdict(stopped));
  return {
    kind: 'steered',
    entry: entryOf(owner),
    from: owner.id,
    delivered: ending === null ? null : { ...withLeader(owner, ending, report), attempts: null },
    undelivered: stopped?.scope === 'all' ? withLeader(owner, ofVerdict(stopped), null) : null,
    ...lossOfParts(end),
    interruptedMidTurn: given === null || outcome === 'timed-out' || turn.tools.root !== null,
  };
}

/** What the step decides for parts that a later one settles. Null: an earlier step has decided it, or nothing is known. */
function settlementOf(facts: Facts, settlement: Settlement): Settlement | null {
  const { before, end, input } = facts;
  const was = before.settling.find((one) => one.kind === settlement.kind && one.entry === settlement.entry);
  if (was !== undefined) {
    return input.type === 'stop' ? null : was;
  }
  if (settlement.kind === 'merged') {
    const leader = leaderOf(before, settlement.entry);
    const ending = leader === null ? null : ofEntry(facts, leader);
    return leader === null || ending === null
      ? null
      : { ...settlement, ending: withLeader(charged(facts, leader), ending, ending.answer) };
  }
  return settlement.kind === 'steered' && end !== null ? leavesTurn(end) : null;
}
