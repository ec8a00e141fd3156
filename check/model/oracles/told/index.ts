/**
 * Whether the tapes say what happened, and nothing else (rule 18: each wait, each end and each change names itself). All events of a
 * step are told a second time here, from its input and from what is different after it, and compared with those that the core wrote.
 */
import type { Input } from '../../../../src/core/model/inputs.ts';
import type { Record as StepRecord } from '../../../../src/core/model/records.ts';
import type { StepResult } from '../../../../src/core/model/replies.ts';
import type { Session } from '../../../../src/core/model/session.ts';
import type { Task } from '../../../../src/core/model/task.ts';
import type { Report } from '../../report.ts';
import { judgeAnswer } from '../answers.ts';
import { judgeEffects } from '../effects.ts';
import { all as allOf } from '../state.ts';
import { toldOfAgent } from './agent.ts';
import { toldOfAssignment, toldOfConversation } from './conversation.ts';
import type { Facts } from './facts.ts';
import { factsOf } from './facts.ts';
import { alike } from './alike.ts';
import { judgeCharges } from './attempts.ts';
import { judgeFinals } from './finals.ts';
import { toldByInput } from './inputs.ts';
import { toldOfParts } from './parts.ts';
import { toldOfRequests } from './requests.ts';
import { toldOfRewind } from './rewind.ts';
import type { Told } from './told.ts';
import {
  toldOfEnd,
  toldOfExpiry,
  toldOfGrant,
  toldOfInterrupt,
  toldOfPrompt,
  toldOfRunners,
  toldOfStart,
  toldOfYield,
} from './turns.ts';

const property = 'rule 18: the tapes say what happened, and nothing else';

type EventRecord = Extract<StepRecord, { type: 'event' }>;

export function judgeTold(before: Session, input: Input, result: StepResult, report: Report): void {
  const facts = factsOf(before, input, result);
  judgeEffects(facts, report);
  judgeAnswer(facts, report);
  if (result.session.fenced) {
    return;
  }
  const tasks = allOf(facts.before);
  judgeFinals(facts, tasks, report);
  judgeCharges(facts, tasks, report);
  const left: EventRecord[] = [];
  for (const record of result.records) {
    if (record.at !== input.at) {
      report.fail(property, `a ${record.type} is dated ${record.at}`);
    }
    if (record.type === 'event') {
      left.push(record);
    }
  }
  for (const told of expected(facts, tasks)) {
    const at = left.findIndex((record) => isSaid(told, record));
    if (at < 0) {
      report.fail(property, `${told.task ?? 'the session'} has no ${told.type} ${JSON.stringify(told.data)}`);
      return;
    }
    left.splice(at, 1);
  }
  const extra = left.find((record) => !isOfEarlierGrant(facts, record));
  if (extra !== undefined) {
    const { type, data } = extra.event;
    report.fail(
      property,
      `${extra.task ?? 'the session'} has a ${type} ${JSON.stringify(data)}, and that did not happen`,
    );
  }
}

const sources: readonly ((facts: Facts, tasks: readonly Task[]) => readonly Told[])[] = [
  toldByInput,
  toldOfAgent,
  toldOfRequests,
  toldOfInterrupt,
  toldOfEnd,
  toldOfRewind,
  toldOfConversation,
  toldOfAssignment,
  toldOfStart,
  toldOfRunners,
  toldOfExpiry,
  toldOfYield,
  toldOfParts,
  toldOfPrompt,
  toldOfGrant,
];

function expected(facts: Facts, tasks: readonly Task[]): readonly Told[] {
  const all: Told[] = [];
  for (const source of sources) {
    const told = source(facts, tasks);
    if (told.length > 0) {
      all.push(...told);
    }
  }
  return all;
}

function isSaid({ task, type, data }: Told, record: EventRecord): boolean {
  return record.task === task && record.event.type === type && alike(record.event.data, data);
}

/** A code task that is due starts its runner, and gives way in the same step: see `judgeGrant`. */
function isOfEarlierGrant({ before, after }: Facts, { event }: EventRecord): boolean {
  const isOther = event.type === 'granted' || event.type === 'resumed' || event.type === 'preempted';
  return isOther && after.epoch > before.epoch + 1 && event.data.epoch === before.epoch + 1;
}
