/**
 * What the shell is asked to do, stated a second time: which runner gets which answer, why one is aborted, what an agent is told with a
 * denial. Whether the process, runner or timer is there that an effect is aimed at is judged when it is delivered.
 */
import type { Effect } from '../../../src/core/model/effects.ts';
import { treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import { type Facts, isLapse, isRetried } from './told/facts.ts';
import { all } from './state.ts';

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

const answered = 'rule 11: a runner gets the answer of its turn, and no other';
const aborted = 'rule 12: a runner whose task ends or is taken from it is aborted, and told why';
const noted = 'an agent is told what a person noted with the decision';
const resumed = 'rule 9: an agent is started with the conversation of the session';
const window = 'rule 18: each interrupt that is written has the whole time of its deadline';
const goesOn = 'parts that are left to settle are settled by the next steps';

export function judgeEffects(facts: Facts, report: Report): void {
  const { result, input, after, is } = facts;
  let settles = 0;
  let continues = 0;
  for (const effect of result.effects) {
    switch (effect.type) {
      case 'settle':
        settles += 1;
        judgeSettle(facts, effect, report);
        break;
      case 'abort':
        judgeAbort(facts, effect, report);
        break;
      case 'respond':
        if (effect.note !== (input.type === 'respond' ? input.note : null)) {
          report.fail(noted, `it is told ${effect.note}`);
        }
        break;
      case 'start':
        if (effect.conversation !== after.conversation.id) {
          report.fail(resumed, `it is started with ${effect.conversation}`);
        }
        break;
      case 'prompt':
        if (effect.call !== (is?.call ?? null)) {
          report.fail(answered, `the prompt is for call ${effect.call}`);
        }
        break;
      case 'interrupt':
        judgeWindow(facts, effect, report);
        break;
      case 'continue':
        continues += 1;
        break;
      case 'steer':
      case 'switch':
      case 'kill':
      case 'close':
      case 'run':
      case 'arm':
      case 'disarm':
    }
  }
  if (settles !== (isAnswered(facts) ? 1 : 0)) {
    report.fail(answered, settles === 0 ? 'it gets none' : 'it gets one too many');
  }
  if (continues !== (after.settling.length > 0 && !after.fenced ? 1 : 0)) {
    report.fail(goesOn, continues === 0 ? 'nobody is asked to' : 'it is asked for needlessly');
  }
  judgeAborts(facts, report);
}

/** The turn of a runner is over by itself, and it is not taken again. */
function isAnswered({ end, before }: Facts): boolean {
  if (end === null || end.owner.mode === 'prompt' || end.owner.run === null || end.verdict !== null) {
    return false;
  }
  const retried = isRetried(before, end.turn, end.given);
  return end.outcome === 'completed' || (end.outcome === 'failed' && !retried);
}

function judgeSettle({ end }: Facts, effect: EffectOf<'settle'>, report: Report): void {
  if (
    end === null ||
    effect.task !== end.owner.id ||
    effect.run !== end.owner.run ||
    effect.call !== end.turn.call ||
    effect.outcome !== end.outcome ||
    effect.report !== (end.given?.report ?? null)
  ) {
    report.fail(answered, `call ${effect.call} of ${effect.task} is answered ${effect.outcome}`);
  }
}

function judgeAbort({ result, after, input }: Facts, effect: EffectOf<'abort'>, report: Report): void {
  const end = result.records.find((record) => record.type === 'end' && record.task === effect.task);
  const own = end?.type === 'end' && !(input.type === 'fault' && end.final.reason === 'expired');
  const ended = own ? end.final.reason : 'lost';
  const why = after.fenced ? 'fenced' : isLapse(input, effect.task) ? 'holder_lost' : ended;
  if (effect.reason !== why) {
    report.fail(aborted, `the runner of ${effect.task} is told ${effect.reason}, not ${why}`);
  }
}

/** A runner that has returned needs no abort. */
function judgeAborts({ before, after, result, input }: Facts, report: Report): void {
  for (const task of all(before)) {
    if (task.run === null || (input.type === 'finish' && input.task === task.id)) {
      continue;
    }
    // A holder goes on with the node that takes the session over.
    const lives = after.fenced ? task.mode === 'external' : treeGet(after.tasks, task.id)?.run === task.run;
    const aborts = result.effects.filter((effect) => effect.type === 'abort' && effect.task === task.id).length;
    if (aborts !== (lives ? 0 : 1)) {
      report.fail(aborted, `the runner of ${task.id} is aborted ${aborts} times`);
    }
  }
}

function judgeWindow({ result }: Facts, { turn }: EffectOf<'interrupt'>, report: Report): void {
  const armed = result.effects.some(
    (effect) => effect.type === 'arm' && effect.timer === 'drain' && effect.subject === turn,
  );
  if (!armed) {
    report.fail(window, `an interrupt of turn ${turn} is written, and its deadline is not armed anew`);
  }
}
