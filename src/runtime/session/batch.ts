/** What an actor was given, and what came of it. */
import type { Applied, NodeId } from '../../store/nodes.ts';
import type { Effect } from '../../core/model/effects.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Record as StepRecord } from '../../core/model/records.ts';
import type { Receipt, Reply } from '../../core/model/replies.ts';
import type { Session } from '../../core/model/session.ts';
import type { TaskPayload } from '../../store/port.ts';

/** The command came from another node: its letter is taken out, and answered, by the commit that applies it. */
export interface EntryLetter {
  readonly id: string;
  readonly from: NodeId;
  /** Its answer is on its way without a commit. */
  isAnswered: boolean;
  /** The commit has taken it out, or it is not there any more. */
  readonly over: () => void;
  readonly answer: (reply: Reply) => void;
  readonly failed: (error: unknown) => void;
}

export interface Entry {
  readonly input: Input;
  /** Monotonic ms. */
  readonly postedAt: number;
  readonly done: ((reply: Reply) => void) | null;
  readonly fail: ((error: unknown) => void) | null;
  /** The entry for which the core threw: this one applies it a second time behind the fault, and there is no third. */
  readonly again?: Entry;
  /** It is one of several steps of a command, or the rest of one. */
  readonly split?: Split;
  readonly isStep?: true;
  readonly letter?: EntryLetter;
  /** A command to restart the agent that has ended a throttle: it has done something, though there is no agent. */
  readonly lifted?: true;
}

/** What the steps of one command have in common. */
export interface Split {
  readonly receipts: Receipt[];
  /** One of its commits has failed, and its sender was told so: the rest is not applied. */
  failed: boolean;
  readonly whole: Entry;
}

/** Steps of one session that are committed together. */
export interface Steps {
  /** The session before the first of them. */
  readonly before: Session;
  readonly entries: readonly Entry[];
  /** In the order of `entries`. */
  readonly replies: readonly Reply[];
  readonly records: StepRecord[];
  readonly effects: Effect[];
  readonly payloads: Map<TaskId, TaskPayload>;
  readonly applied: readonly Applied[];
}
