/**
 * The Agent port: what a driver turns its protocol into. One handle is one agent (a process, a thread, a function) of one
 * session; its incarnation number is in every event. Drivers know nothing of tasks, stores or HTTP.
 *
 * Rules every driver keeps (its contract suite, `testing/agents`, tests them):
 *  agent-port/1 The methods are synchronous and write at once, whole messages only, in the order of the calls; they never throw:
 *      a failed write becomes `exited`.
 *  agent-port/2 `exited` comes exactly once, last, after the process is reaped; also when `start` fails or its deadline passes.
 *  agent-port/3 `started` names a turn at most once, before its other events, as soon as an interrupt of it cannot get lost any more;
 *      `result` ends it, and comes when no word of it can follow any more: a dialect that trails is waited for. An event for a turn
 *      that is over may come: its output is the session's, and all else is the core's to drop.
 *  agent-port/4 `interrupt` is written as soon as it is called; the core calls it only after `started`. A second call for the same turn
 *      writes it again.
 *  agent-port/5 Malformed or unknown messages become `output` with a part `raw` (bounded), never an exception. Every request of the agent is
 *      answered, one that is not understood by an error of its protocol.
 *  agent-port/6 `ack` is for the last interrupt that was written: an earlier one that is still unread could end the next turn.
 *  agent-port/7 Each `permission-requested` names a request unique within its turn. It ends by `respond`, `permission-withdrawn`, an interrupt or the end of
 *      the turn. After an interrupt or the end, the driver itself tells the agent that nobody decides. `respond` to a request that is over does nothing.
 *  agent-port/8 Each `switchModel` is followed by one `switched`, or by `exited`. It is called at a boundary only.
 *  agent-port/9 A failure is stated: `failed` with its class, also where the dialect reports it as a normal end with text.
 *  agent-port/10 `rewind` takes the turn out of the conversation, and all turns of a higher number. It comes again until a turn has started: the turn that
 *      it names may be gone already, and a later one, which the agent read and did not confirm, may be there.
 *  agent-port/11 `background` lists what the agent does beside its turns and continues after them, whole, whenever the list has changed.
 *      An agent that is gone does nothing: no empty list comes for that.
 */
import type { AgentCaps, TurnResult } from '../core/model/session.ts';
import type { Incarnation, SessionKey, TurnId } from '../core/model/ids.ts';
import type { OutputPart, TurnReport } from '../core/model/output.ts';
import type { RequestedAction } from '../core/model/permission.ts';
import type { Environment } from '../supervise/process/environment.ts';
import type { ConversationFile, ConversationPlace } from './conversation-file.ts';
import type { ProviderFailure } from './failures.ts';
import type { SessionSandbox } from './sandbox/agent-sandbox.ts';

/** What came with the boundary of a turn. `text`: all that the agent said, empty where it said nothing. */
export type AgentReport = Omit<TurnReport, 'failure'>;

/** `failure`: null unless `outcome` is `failed`; then null where the dialect gives no reason. */
export interface AgentResult extends Pick<TurnResult, 'outcome' | 'empty'> {
  readonly failure: ProviderFailure | null;
  readonly report: AgentReport;
}

export type AgentEvent =
  | {
      readonly type: 'ready';
      readonly caps: AgentCaps;
      readonly conversation: string | null;
      readonly conversationReset: boolean;
    }
  | { readonly type: 'started'; readonly turn: TurnId }
  | { readonly type: 'output'; readonly turn: TurnId | null; readonly part: OutputPart }
  /** The agent retries a failed request by itself; its turn continues. */
  | { readonly type: 'retrying'; readonly turn: TurnId | null; readonly failure: ProviderFailure }
  /** `tokens`: all that the turn has taken so far, those of the cache included. It comes while the turn runs, where the dialect counts them then. */
  | { readonly type: 'spent'; readonly turn: TurnId; readonly tokens: number }
  /** `detail`: the request as the agent made it, whole. The runtime bounds it for the tape, and says so there. */
  | {
      readonly type: 'permission-requested';
      readonly turn: TurnId;
      readonly request: string;
      readonly action: RequestedAction;
      readonly detail: unknown;
    }
  | { readonly type: 'permission-withdrawn'; readonly turn: TurnId; readonly request: string }
  | { readonly type: 'switched'; readonly model: string | null; readonly ok: boolean }
  | { readonly type: 'ack'; readonly turn: TurnId; readonly noResult: boolean }
  | { readonly type: 'result'; readonly turn: TurnId; readonly result: AgentResult }
  | { readonly type: 'steered'; readonly turn: TurnId; readonly id: string; readonly delivered: boolean }
  /** `work`: each by a title for a person, bounded. */
  | { readonly type: 'background'; readonly work: readonly string[] }
  | { readonly type: 'unsolicited'; readonly phase: 'began' | 'ended'; readonly data: unknown }
  | { readonly type: 'exited'; readonly reason: string; readonly data: unknown };

export interface AgentStart {
  readonly session: SessionKey;
  readonly incarnation: Incarnation;
  /** The agent's own conversation id to resume, or null for a fresh one. */
  readonly conversation: string | null;
  /** Null: its default. */
  readonly model: string | null;
  /** The session's working folder: absolute, existing, and used by no other session; null: the driver's own choice. */
  readonly folder: string | null;
  /** In which all programs of this agent run. Left out: in none. */
  readonly sandbox?: SessionSandbox;
  /** What Signalbox adds to the environment of a program. Default: nothing. */
  readonly env?: Environment;
  /** Called in order, never re-entrantly from within a method of the handle. */
  readonly emit: (event: AgentEvent) => void;
  /**
   * Called with the process's identity as soon as it is spawned, before anything is written to it; processes only. Again where
   * a first program has refused a conversation, is reaped, and another one takes its place (`conversationReset`).
   */
  readonly onProcess: (process: { readonly pid: number; readonly startTime: string; readonly cookie: string }) => void;
}

export interface AgentHandle {
  /** What the system calls the thread that it runs in, or the beginning of that; left out where it has a process or neither. */
  readonly threadName?: string;
  prompt(turn: TurnId, text: string, options: { readonly rewind: TurnId | null }): void;
  interrupt(turn: TurnId): void;
  /** Called only where `caps.steer`. */
  steer(turn: TurnId, id: string, text: string): void;
  /** `note`: told to the agent with a denial. */
  respond(turn: TurnId, request: string, decision: { readonly allow: boolean; readonly note: string | null }): void;
  /** Called only where `caps.models`. Null: back to the agent's default. */
  switchModel(model: string | null): void;
  /** Lets an idle agent exit by itself, then uses the kill ladder. */
  close(): void;
  /** The kill ladder at once: the whole group, reaped. */
  kill(): void;
}

export interface AgentDriver {
  readonly name: string;
  /** Whom its model requests go to (`anthropic`, `openai`, …): sessions of one provider are throttled together. */
  readonly provider: string;
  /** False: it starts no program and works in no folder; `AgentStart.folder` is null then. Default: true. */
  readonly needsFolder?: boolean;
  /** All that another machine needs to resume the conversation; null: not to be said. Left out: its conversations stay on their machine. */
  readonly conversationFiles?: (place: ConversationPlace) => readonly ConversationFile[] | null;
  start(options: AgentStart): AgentHandle;
}
