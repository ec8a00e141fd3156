/**
 * What is durable, kept beside the store from the records of its commits: the simulator's own second account, against which
 * the runtime's acts and the store's answers are judged.
 */
import type { SessionKey } from '../src/core/model/ids.ts';
import type { Limits, Session } from '../src/core/model/session.ts';
import type { Record as StepRecord } from '../src/core/model/records.ts';
import { type Durable, durableOf, foldRecords, newSession, rebuild } from '../src/core/index.ts';
import type { SessionCommit } from '../src/store/port.ts';
import { same } from '../test/support/trace.ts';

/** What the tape says of a prompt. */
interface Sent {
  readonly task: string | null;
  readonly model: string | null;
  /** It is a note in place of the text. */
  readonly delivered: boolean;
}

interface SessionFacts {
  durable: Durable;
  /** Incarnations whose start is on the tape, and the last turn of which each thing is on a tape. */
  readonly starting: Set<number>;
  readonly sent: Map<number, Sent>;
  readonly interrupted: Set<number>;
  /** Turn and request of each decision. */
  readonly decided: Set<string>;
  switching: { readonly incarnation: number; readonly to: string | null } | null;
  /** The agent takes a turn that nobody asked for, as the session's tape says. */
  unsolicited: boolean;
  /** An interrupt of this turn became durable and has not left yet. */
  due: number | null;
}

export class Facts {
  readonly sessions = new Map<SessionKey, SessionFacts>();
  readonly #limits: Limits;
  readonly #violate: (rule: string, what: string) => void;
  /** A turn was found silent. */
  readonly #silent: (key: SessionKey, turn: number) => void;
  /** On all tapes; and of each type. */
  events = 0;
  readonly happened = new Map<string, number>();

  constructor(
    limits: Limits,
    violate: (rule: string, what: string) => void,
    silent: (key: SessionKey, turn: number) => void,
  ) {
    this.#limits = limits;
    this.#violate = violate;
    this.#silent = silent;
  }

  of(key: SessionKey): SessionFacts {
    let facts = this.sessions.get(key);
    if (facts === undefined) {
      const durable = durableOf(newSession(key, this.#limits));
      facts = {
        durable,
        starting: new Set(),
        sent: new Map(),
        interrupted: new Set(),
        decided: new Set(),
        switching: null,
        unsolicited: false,
        due: null,
      };
      this.sessions.set(key, facts);
    }
    return facts;
  }

  commit(commits: readonly SessionCommit[]): void {
    for (const { session, records } of commits) {
      const facts = this.of(session);
      facts.durable = foldRecords(facts.durable, records);
      for (const record of records) {
        this.#note(session, facts, record);
      }
    }
  }

  #note(key: SessionKey, facts: SessionFacts, record: StepRecord): void {
    this.events += record.type === 'event' || record.type === 'end' ? 1 : 0;
    if (record.type !== 'event') {
      return;
    }
    const { event } = record;
    this.happened.set(event.type, (this.happened.get(event.type) ?? 0) + 1);
    if (event.type === 'agent-starting') {
      facts.unsolicited = false;
      facts.starting.add(event.data.incarnation);
    } else if (event.type === 'unsolicited-turn') {
      facts.unsolicited = event.data.phase === 'began';
    } else if (event.type === 'turn-sent') {
      const { turn, model, delivered } = event.data;
      facts.sent.set(turn, { task: record.task, model, delivered });
      if (facts.unsolicited) {
        this.#violate('prompts go to an agent at its boundary', `turn ${turn} of ${key} during an unsolicited turn`);
      }
    } else if (event.type === 'permission-resolved') {
      facts.decided.add(`${event.data.turn} ${event.data.request}`);
    } else if (event.type === 'model-switching') {
      const { incarnation, to } = event.data;
      facts.switching = { incarnation, to };
    } else if (event.type === 'deadline-reached' && event.data.name === 'silence') {
      this.#silent(key, event.data.turn ?? 0);
    } else if (event.type === 'turn-ended') {
      facts.due = facts.due === event.data.turn ? null : facts.due;
    } else if (event.type === 'interrupt-requested') {
      const { turn, sent } = event.data;
      facts.interrupted.add(turn);
      facts.due = sent ? turn : facts.due;
    }
  }

  /** Whether a session that a node took up is the one that the records alone give. */
  isRebuilt(session: Session): boolean {
    const { durable } = this.of(session.key);
    const expected = rebuild(durable, this.#limits);
    return same(durableOf(session), durableOf(expected)) && same(session.hold, expected.hold);
  }
}
