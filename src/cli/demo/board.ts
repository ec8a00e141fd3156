/**
 * The track board: turns events into rows. One track per task; a row shows the state of each task at that moment, and what
 * happened to one of them. Pure: the same events give the same rows.
 */
import type { KnownEvent, ReadEvent } from '../../client/index.ts';
import { textOf } from './evidence.ts';

/** The state of a task on its track. */
export type Track = 'absent' | 'waits' | 'owns' | 'drains' | 'ended';

/** What a row marks on the track of the task that it is about. */
export type Mark = 'admitted' | 'granted' | 'interrupted' | 'preempted' | 'ended' | null;

export interface Row {
  /** Milliseconds since the first event. */
  readonly at: number;
  /** Index of the task that the row is about; null: the agent, or a node. */
  readonly about: number | null;
  readonly node?: string;
  readonly mark: Mark;
  readonly tracks: readonly Track[];
  readonly text: string;
}

const endTexts: { readonly [S in KnownEvent<'final'>['data']['status']]: string } = {
  completed: 'ends completed: final',
  failed: 'ends failed: final',
  cancelled: 'ends cancelled: final',
};

/** Events of tasks that make rows. */
const shown = [
  'queued',
  'granted',
  'resumed',
  'interrupt-requested',
  'interrupt-acked',
  'preempted',
  'attempt-lost',
  'output',
  'final',
] as const;
type Shown = KnownEvent<(typeof shown)[number]>;
const isShown = (event: ReadEvent): event is Shown => shown.some((type) => type === event.type);

export class Board {
  readonly #names: readonly string[];
  readonly #tracks: Track[];
  /** Indexes of `#names` by task id. */
  readonly #tasks = new Map<string, number>();
  /** What each task is, by index. */
  readonly #what: string[] = [];
  #start: number | null = null;
  /** Of the last row. */
  #last = 0;
  #lastStep = '';

  /** `names` in the order of the tracks. */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#tracks = names.map(() => 'absent');
  }

  /** Tells the board whose task it is that will be admitted, or was. */
  expect(task: string, name: string, what: string): void {
    this.#tasks.set(task, this.#names.indexOf(name));
    this.#what[this.#names.indexOf(name)] = what;
  }

  nameOf(task: unknown): string {
    const index = this.#tasks.get(String(task));
    return index === undefined ? 'another task' : (this.#names[index] ?? '');
  }

  rows(event: ReadEvent): readonly Row[] {
    this.#start ??= event.at;
    if (event.task === null) {
      const said = agentText(event);
      return said === null ? [] : [this.#row(event, null, null, said)];
    }
    const about = this.#tasks.get(event.task);
    return about === undefined || !isShown(event) ? [] : this.#taskRows(event, about);
  }

  /** A row about a node. `at`: milliseconds since 1970, as in events. */
  nodeRow(node: string, at: number, text: string): Row {
    return { ...this.#row({ at }, null, null, text), node };
  }

  #row({ at }: Pick<ReadEvent, 'at'>, about: number | null, mark: Mark, text: string): Row {
    // The events of a command have the time at which it came in, which may be before those of a takeover that it waited for.
    this.#last = Math.max(this.#last, at - (this.#start ?? at));
    return { at: this.#last, about, mark, tracks: [...this.#tracks], text };
  }

  #taskRows(event: Shown, about: number): readonly Row[] {
    const put = (track: Track, mark: Mark, text: string): readonly Row[] => {
      this.#tracks[about] = track;
      return [this.#row(event, about, mark, text)];
    };
    switch (event.type) {
      case 'queued': {
        const owner = this.#tracks.findIndex((track) => track === 'owns' || track === 'drains');
        const state = owner === -1 ? 'the session is free' : `${this.#names[owner] ?? ''} has the session`;
        return put('waits', 'admitted', `${this.#what[about] ?? ''}; ${state}`);
      }
      case 'granted':
        return put('owns', 'granted', `gets the session, epoch ${event.data.epoch}`);
      case 'resumed':
        return put('owns', 'granted', `gets the session back, epoch ${event.data.epoch}: resumed`);
      case 'interrupt-requested':
        return put(
          'drains',
          'interrupted',
          `is interrupted for ${this.nameOf(event.data.by?.name)}, in the same commit`,
        );
      case 'interrupt-acked':
        return put('drains', null, 'drains: its agent has acknowledged the interrupt');
      case 'preempted':
        return put('waits', 'preempted', this.#lastStep === '' ? 'gives way' : `gives way after ${this.#lastStep}`);
      case 'attempt-lost':
        return put('waits', 'preempted', `has lost its agent after ${this.#lastStep}: its attempt is lost`);
      case 'output':
        return this.#output(event, about);
      case 'final':
        return put('ended', 'ended', endTexts[event.data.status]);
    }
  }

  /** Of what is said, only the steps of the background work are worth a row. */
  #output(event: ReadEvent, about: number): readonly Row[] {
    const text = textOf(event);
    const step = /^step \d+\/\d+/.exec(text)?.[0];
    if (step !== undefined) {
      this.#lastStep = step;
    }
    const resumes = text.startsWith('resuming');
    return step === undefined && !resumes ? [] : [this.#row(event, about, null, text.trim())];
  }
}

function agentText(event: ReadEvent): string | null {
  if (event.type === 'agent-starting') {
    return 'its process is started';
  }
  if (event.type === 'agent-ready') {
    return 'ready: a real child process';
  }
  if (event.type === 'agent-exited') {
    return 'its process is gone';
  }
  return null;
}
