/** What a scenario is given, and what the scenarios have in common. */
import assert from 'node:assert/strict';
import type { ReadEvent } from '../../src/protocol/index.ts';
import type { Daemon } from '../daemon.ts';
import type { EventOf, RequestEvent } from '../model/index.ts';
import type { Figures } from '../figures.ts';
import type { ProgramSetup } from '../program-setup.ts';

/** Thrown where something cannot be tried, with the reason that the table shows. */
export class Skipped extends Error {}

export interface Scene {
  readonly setup: ProgramSetup;
  /** Of this program; all scenarios share it, each with a session of its own. */
  readonly daemon: Daemon;
  readonly figures: Figures;
  /** Whether a minute may be waited for. */
  readonly patient: boolean;
  /** How often the race is run. */
  readonly races: number;
}

export interface Scenario {
  readonly name: string;
  /** What holds when it is green. */
  readonly title: string;
  readonly run: (scene: Scene) => Promise<void>;
}

let count = 0;
/** A word that no other prompt has. */
export const word = (what: string): string => `${what}-${(++count).toString().padStart(3, '0')}x`;

/** Waits for the end of a task, and checks that its tape is dense and has one `final`, at its end. */
export async function ended(daemon: Daemon, task: string, status: string, deadlineMs = 30_000): Promise<string> {
  const final = await daemon.events.next(
    `the end of ${task.slice(-8)}`,
    (event) => event.task === task && event.type === 'final',
    { deadlineMs },
  );
  const tape = await wholeTape(daemon, task);
  const shown = tape.map(({ type, data }) => `${type} ${JSON.stringify(data)?.slice(0, 200)}`).join('\n');
  assert.equal(final.type === 'final' ? final.data.status : null, status, shown);
  assert.deepEqual(
    tape.map(({ seq }) => seq),
    tape.map((_, index) => index + 1),
    'the tape is dense',
  );
  assert.equal(tape.filter(({ type }) => type === 'final').length, 1, `one final\n${shown}`);
  assert.equal(tape.at(-1)?.type, 'final', 'final is last');
  return shown;
}

export async function wholeTape(daemon: Daemon, task: string): Promise<readonly ReadEvent[]> {
  const tape: ReadEvent[] = [];
  for (let after = 0; ;) {
    const page = await daemon.client.taskEvents(task, { after, limit: 500 });
    tape.push(...page.items);
    if (page.items.length === 0 || page.final) {
      return tape;
    }
    after = page.next;
  }
}

/** The text of the agent on a task's tape. */
export const said = (tape: readonly ReadEvent[]): string =>
  tape
    .map((event) => (event.type === 'output' && event.data.part.kind === 'text' ? event.data.part.text : ''))
    .join('');

/** Whether a request's conversation holds the word, in whatever place. */
export const knows = ({ asked }: RequestEvent, what: string): boolean =>
  asked.items.some(({ text }) => text.includes(what));

/**
 * The request that a prompt with this word has led to: the agent's own turn, not one of the small ones beside it (titles,
 * suggestions), which carry no tools.
 */
export const turnOf =
  (what: string) =>
  (event: EventOf<'request'>): boolean =>
    event.cue.includes(what) && event.asked.tools.length > 0;

/** The prompt that a turn of this task goes on with, whether it repeats the task or only names it. */
export const goesOnWith = (what: string): RegExp => new RegExp(`Continue from where it stopped[^]*${what}`);

/** The request that such a prompt has led to, where a rule plays for it. */
export const continuedTurnOf =
  (what: string) =>
  (event: EventOf<'request'>): boolean =>
    goesOnWith(what).test(event.cue) && event.asked.tools.length > 0;
