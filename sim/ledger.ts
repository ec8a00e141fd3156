/** What callers asked and were answered, and what agents were told and said: the promises that the tapes are held to. */
import type { SessionKey } from '../src/core/model/ids.ts';
import type { TurnResult } from '../src/core/model/session.ts';
import type { SubmitAnswer, SubmitRequest } from '../src/runtime/api.ts';

/** `unknown`: the daemon crashed before it answered. `error`: it said that it could not. */
type SubmissionState = 'asked' | 'accepted' | 'duplicate' | 'refused' | 'error' | 'unknown';

export interface Submission {
  /** Stands in the task's labels and, in guillemets, in its prompt. */
  readonly n: number;
  readonly session: string;
  readonly request: SubmitRequest;
  readonly party: string;
  state: SubmissionState;
  task: string | null;
}

export const markerOf = (n: number): string => `«${n}»`;
const markerPattern = /«(\d+)»/g;

interface Deed {
  readonly what: 'cancel' | 'stop' | 'evict';
  /** A task or a session. */
  readonly of: string;
}

/** A prompt that a caller asked a task to have. */
interface Edit {
  readonly prompt: string;
  /** Edits of the task that were over when this one was asked, so that this one comes after them. */
  readonly after: readonly Edit[];
  /** Answered, or never to be answered any more. */
  over: boolean;
  acknowledged: boolean;
}

export class Ledger {
  readonly submissions: Submission[] = [];
  readonly deeds: Deed[] = [];
  /** Session, turn and request of what a person allows. */
  readonly allowed = new Set<string>();
  /** Numbers of the submissions whose text reached an agent of their session. */
  readonly heard = new Set<number>();
  /** Edits by task, in the order of asking. Those under way at the same time may be applied in any order. */
  readonly edits = new Map<string, Edit[]>();
  readonly #learned = new Set<string>();
  readonly #said = new Map<string, Set<TurnResult['outcome']>>();
  readonly #violate: (rule: string, what: string) => void;

  constructor(violate: (rule: string, what: string) => void) {
    this.#violate = violate;
  }

  submission(session: string, request: SubmitRequest): Submission {
    const n = this.submissions.length;
    const labelled = { ...request, prompt: `${markerOf(n)} ${request.prompt}`, labels: { n: String(n) } };
    const party = `${request.source ?? 'api'} ${request.rights ?? 'default'}`;
    const made: Submission = { n, session, request: labelled, party, state: 'asked', task: null };
    this.submissions.push(made);
    return made;
  }

  /** Gives what to call with the end of the call: whether the edit was acknowledged. */
  editing(task: string, prompt: string): (acknowledged: boolean) => void {
    const edits = this.edits.get(task) ?? [];
    this.edits.set(task, edits);
    const edit: Edit = { prompt, after: edits.filter(({ over }) => over), over: false, acknowledged: false };
    edits.push(edit);
    return (acknowledged) => {
      edit.over = true;
      edit.acknowledged = acknowledged;
    };
  }

  /** Whether a prompt task that is told so is told the words of an edit that no acknowledged one came after. */
  #upToDate({ task, request }: Submission, text: string): boolean {
    const edits = task === null || (request.runner ?? null) !== null ? undefined : this.edits.get(task);
    const acknowledged = edits?.filter((edit) => edit.acknowledged) ?? [];
    return (
      edits === undefined ||
      acknowledged.length === 0 ||
      edits.some((edit) => text.includes(edit.prompt) && !acknowledged.some(({ after }) => after.includes(edit)))
    );
  }

  answered(submission: Submission, answer: SubmitAnswer): void {
    if (answer.kind === 'refused') {
      submission.state = 'refused';
      return;
    }
    submission.state = answer.duplicate ? 'duplicate' : 'accepted';
    submission.task = answer.task;
  }

  /** What is told together was sent by one party, for this session. */
  told(session: SessionKey, text: string): void {
    const parties = new Set<string>();
    for (const [, digits] of text.matchAll(markerPattern)) {
      const submission = this.submissions[Number(digits)];
      if (submission === undefined || submission.session !== session) {
        this.#violate('prompts stay in their session', `${session} is told ${text}`);
        return;
      }
      if (!this.#upToDate(submission, text)) {
        this.#violate('an agent is told the edited words', `${submission.task} says ${text}`);
      }
      this.heard.add(submission.n);
      parties.add(submission.party);
    }
    if (parties.size !== 1) {
      this.#violate('only equal parties are told together', `${[...parties].join(' and ') || 'nobody'} in ${text}`);
    }
  }

  /** This conversation was given the text of a task. */
  learned(conversation: string, task: string | null): void {
    this.#learned.add(`${conversation} ${task}`);
  }

  /** A note in place of a text: the conversation has that. */
  reminded(conversation: string, task: string | null, text: string): void {
    if (!this.#learned.has(`${conversation} ${task}`)) {
      this.#violate('a note stands for a text that the conversation has', `${conversation} is told ${text}`);
    }
  }

  stated(session: SessionKey, turn: number, outcome: TurnResult['outcome']): void {
    const key = `${session} ${turn}`;
    this.#said.set(key, (this.#said.get(key) ?? new Set()).add(outcome));
  }

  said(session: SessionKey, turn: number, outcome: TurnResult['outcome']): boolean {
    return this.#said.get(`${session} ${turn}`)?.has(outcome) === true;
  }

  did(what: Deed['what'], of: string): boolean {
    return this.deeds.some((deed) => deed.what === what && deed.of === of);
  }

  /** The daemon that was asked is gone. */
  forgetAsked(): void {
    for (const submission of this.submissions) {
      if (submission.state === 'asked') {
        submission.state = 'unknown';
      }
    }
    for (const edit of [...this.edits.values()].flat()) {
      edit.over = true;
    }
  }
}
