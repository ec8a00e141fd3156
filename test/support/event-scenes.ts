/** Whole tapes for docs/events.md, written by the core itself: it is played, and what stands on its tapes then is shown. */
import type { Actor } from '../../src/core/model/actor.ts';
import { incarnation, turnId } from '../../src/core/model/ids.ts';
import type { Event } from '../../src/core/model/events.ts';
import { origin, Box, type Said, taskOf } from './core-driver.ts';

const ada: Actor = { kind: 'person', name: 'ada' };

function submit(box: Box, id: string, title: string, fields: Parameters<typeof taskOf>[1]): void {
  const about = { ...origin, title, source: 'cli', author: ada.name };
  box.do({ type: 'submit', task: taskOf(id, fields), about, payload: { prompt: title } });
}

function say(box: Box, text: string): void {
  const turn = turnId(box.turn);
  box.do({ type: 'output', incarnation: incarnation(box.incarnation), turn, part: { kind: 'text', text } });
}

function result(box: Box, text: string, outcome: 'completed' | 'interrupted'): void {
  const report = { text, usage: { inputTokens: 5210, outputTokens: 12 } };
  const said: Said = {
    type: 'result',
    incarnation: incarnation(box.incarnation),
    turn: turnId(box.turn),
    result: { outcome, empty: false, report },
  };
  box.do(said);
}

function answers(box: Box, text: string): void {
  box.started();
  say(box, text);
  result(box, text, 'completed');
}

/** One event on one line, as the tape has it; `at` is left out. */
const lines = (tape: readonly Event[]): string =>
  ['```text', ...tape.map(({ type, data }, at) => `${at + 1} ${type} ${JSON.stringify(data)}`), '```'].join('\n');

/** A background task that an interactive one preempts. */
export function preemptionScene(): string {
  const box = new Box();
  submit(box, 'tidy', 'Tidy the docs', { lane: 'background' });
  box.ready();
  box.started();
  say(box, 'I read the ');
  submit(box, 'ask', 'Is the build green?', {});
  box.ack();
  result(box, 'I read the ', 'interrupted');
  answers(box, 'Yes.');
  answers(box, 'The docs are tidy.');
  return [
    'The tape of the background task `tidy`. The interactive task `ask` comes after its fifth event:',
    lines(box.whole('tidy')),
    'The tape of `ask`:',
    lines(box.whole('ask')),
    'The tape of their session:',
    lines(box.whole()),
  ].join('\n\n');
}

/** Two tasks that share a turn. */
export function mergeScene(): string {
  const box = new Box();
  const fields = { whenBusy: 'collect', mergeGroup: 'review' } as const;
  submit(box, 'first', 'Rename the class', fields);
  submit(box, 'second', 'And its tests', fields);
  box.passes('collect');
  box.ready();
  answers(box, 'Both are renamed.');
  return [
    'The tape of `first`, which has the turn:',
    lines(box.whole('first')),
    'The tape of `second`, which was merged into it:',
    lines(box.whole('second')),
  ].join('\n\n');
}
