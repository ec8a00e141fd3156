/**
 * Passes what an agent says on to its session: without secrets, with the decision of the policy on each permission request. It tells
 * the throttle of the session how the agent and its provider do.
 *
 * Owned by the agent's host, one per incarnation.
 *  agent-output/1 No event is posted with a secret in it. Output that was delayed is posted before all later output.
 *  agent-output/2 The session gets a throttle before it gets the failure that caused it.
 *  agent-output/3 A permission request is decided by the policy of the turn that the agent was prompted for. In any other
 *                 turn it is denied.
 *  agent-output/4 Output of a turn that is over is output of the session: no word of it is in another turn, and none is
 *                 lost.
 *  agent-output/5 A turn that ends without text after a denial has the text of Signalbox that names the denied action.
 *  agent-output/6 A turn that reaches a limit of its own says so once. What the agent says after that is said as before.
 */
import type { ProviderFailure } from '../../agents/failures.ts';
import type { AgentEvent } from '../../agents/port.ts';
import { notice } from '../../agents/shared/parts.ts';
import type { Incarnation, TurnId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import { denialNote, policyDecision } from '../../core/rules/permission-policy.ts';
import type { PermissionPolicy } from '../../core/model/permission.ts';
import type { RedactedPieces } from '../../supervise/index.ts';
import { Denials } from './denials.ts';
import { inputOf, type Said, shownAction, shownFailure } from './events.ts';
import type { OpenPermissionRequests } from './permission-requests.ts';
import { TurnLimits } from './turn-limits.ts';
import type { Context } from '../options.ts';
import type { SessionThrottle } from '../throttle/session-throttle.ts';

interface OutputParts {
  readonly incarnation: Incarnation;
  readonly context: Context;
  readonly throttle: SessionThrottle;
  readonly permissionRequests: OpenPermissionRequests;
  readonly post: (input: Input) => void;
  /** Text of a turn, redacted. */
  readonly said: (text: string) => void;
}

/** A turn that the agent was prompted for. */
interface Prompted {
  readonly turn: TurnId;
  readonly policy: PermissionPolicy;
  readonly denials: Denials;
  readonly limits: TurnLimits;
  /** Monotonic ms. */
  readonly at: number;
}

/** UTF-16 units. */
const messageMax = 500;

type Output = Extract<AgentEvent, { type: 'output' }>;
type Result = Extract<AgentEvent, { type: 'result' }>;
type Asked = Extract<AgentEvent, { type: 'permission-requested' }>;

export class AgentOutput {
  readonly #parts: OutputParts;
  readonly #pieces: RedactedPieces;
  #ready = false;
  #prompted: Prompted | null = null;
  /** Whose text is being said: that of a turn, or the session's own. */
  #speaking: { readonly turn: TurnId | null } | null = null;

  constructor(parts: OutputParts) {
    this.#parts = parts;
    this.#pieces = parts.context.redact.pieces();
  }

  prompted(turn: TurnId, policy: PermissionPolicy): void {
    const { incarnation, context, post } = this.#parts;
    const { clock } = context;
    this.#prompted?.limits.end();
    const limits = new TurnLimits({
      clock,
      limits: context.limits,
      reached: (limit, bound) => post({ type: 'turn-limit', at: clock.wall(), incarnation, turn, limit, bound }),
    });
    this.#prompted = { turn, policy, denials: new Denials(), limits, at: clock.now() };
    this.#parts.permissionRequests.clear();
  }

  interrupted(turn: TurnId): void {
    this.#denialsOf(turn)?.interrupted();
  }

  /** A permission request of the agent got its answer. */
  answered(turn: TurnId, request: string, allow: boolean): void {
    this.#denialsOf(turn)?.answered(request, allow);
    this.#notePerson();
  }

  /** Tokens that the turn has taken so far. */
  spent(turn: TurnId, tokens: number): void {
    if (this.#prompted?.turn === turn) {
      this.#prompted.limits.spent(tokens);
    }
  }

  get turnEndsAt(): number | null {
    return this.#prompted?.limits.endsAt ?? null;
  }

  #notePerson(): void {
    this.#prompted?.limits.person(this.#parts.permissionRequests.size > 0);
  }

  handle(event: Said | Asked): void {
    if (event.type === 'output') {
      this.#output(event);
      return;
    }
    this.#finish();
    if (event.type === 'permission-requested') {
      this.#asked(event);
      return;
    }
    if (event.type === 'permission-withdrawn') {
      this.#parts.permissionRequests.remove(event.turn, event.request);
      this.#notePerson();
    }
    const { incarnation, context, post } = this.#parts;
    const said = event.type === 'result' ? this.#worded(event) : event;
    this.#note(said);
    post(inputOf(said, incarnation, context.clock.wall(), context.redact));
  }

  #denialsOf(turn: TurnId): Denials | null {
    return this.#prompted?.turn === turn ? this.#prompted.denials : null;
  }

  /** `empty` stays what the agent has said: an interrupted turn is judged by it. */
  #worded(event: Result): Result {
    const { turn, result } = event;
    const words = result.report.text.trim() === '' && result.failure === null ? this.#denialsOf(turn)?.words() : null;
    if (words === null || words === undefined) {
      return event;
    }
    const { line, actions } = words;
    this.#output({ type: 'output', turn, part: notice('denied', line, { actions }) });
    return { ...event, result: { ...result, report: { ...result.report, text: line } } };
  }

  /**
   * The agent is gone. One that ends before it is ready, or by itself within a turn, is at fault; one that was never started
   * is not, and one that could not be started is this machine's.
   */
  end(reason: string, wanted: boolean, data: unknown): void {
    this.#finish();
    this.#prompted?.limits.end();
    const own = !this.#ready || (this.#prompted !== null && !wanted);
    if (reason === 'spawn_failed') {
      this.#parts.throttle.startFailed(this.#parts.context.redact.text(messageOf(data)));
    } else if (own && reason !== 'never_started') {
      this.#parts.throttle.crashed();
    }
  }

  #output(event: Output): void {
    const { incarnation, context, post } = this.#parts;
    const turn = event.turn === this.#prompted?.turn ? event.turn : null;
    if (turn !== null) {
      this.#prompted?.limits.heard(event.part);
    }
    if (event.part.kind === 'text') {
      if (this.#speaking === null || this.#speaking.turn !== turn) {
        this.#finish();
        this.#speaking = { turn };
      }
      this.#say(turn, this.#pieces.push(event.part.text));
      return;
    }
    this.#finish();
    post(inputOf({ ...event, turn }, incarnation, context.clock.wall(), context.redact));
  }

  #say(turn: TurnId | null, text: string): void {
    const { incarnation, context, post, said: heard } = this.#parts;
    if (text !== '') {
      if (turn !== null) {
        heard(text);
      }
      const said = { type: 'output', at: context.clock.wall(), incarnation, part: { kind: 'text', text } } as const;
      post(turn === null ? { ...said, turn } : { ...said, turn });
    }
  }

  #finish(): void {
    if (this.#speaking !== null) {
      this.#say(this.#speaking.turn, this.#pieces.flush());
    }
  }

  #note(event: Said): void {
    const { throttle } = this.#parts;
    if (event.type === 'ready') {
      this.#ready = true;
      throttle.started();
    } else if (event.type === 'retrying') {
      throttle.retrying(this.#shown(event.failure), this.#sentAt());
    } else if (event.type === 'result') {
      this.#noteResult(event);
    } else if (event.type === 'ack' && event.noResult) {
      this.#over(event.turn);
    }
  }

  #noteResult({ turn, result: { outcome, failure } }: Result): void {
    const { throttle } = this.#parts;
    if (failure !== null) {
      throttle.failed(this.#shown(failure), this.#sentAt());
    } else if (outcome === 'completed') {
      throttle.completed();
    }
    throttle.alive();
    this.#over(turn);
  }

  #over(turn: TurnId): void {
    if (this.#prompted?.turn === turn) {
      this.#prompted.limits.end();
      this.#prompted = null;
    }
  }

  #asked({ turn, request: name, action: ask, detail }: Asked): void {
    const { incarnation, context, permissionRequests, post } = this.#parts;
    const request = context.redact.text(name);
    const at = context.clock.wall();
    const prompted = this.#prompted;
    const policy = prompted === null || prompted.turn !== turn ? null : prompted.policy;
    const decision = policy === null ? 'deny' : policyDecision(policy, ask);
    const policyNote = policy === null || decision !== 'deny' ? null : denialNote(policy, ask);
    const action = shownAction(ask, detail, context.redact);
    const { kind, tool, title } = action;
    this.#denialsOf(turn)?.requested(request, { kind, tool, title }, decision === 'deny');
    if (decision === null) {
      permissionRequests.add({ turn, request, action, since: at });
      this.#notePerson();
    }
    post({
      type: 'permission-requested',
      at,
      incarnation,
      turn,
      request,
      policyDecision: decision,
      policyNote,
      action,
    });
  }

  #shown(failure: ProviderFailure): ProviderFailure {
    return shownFailure(failure, this.#parts.context.redact);
  }

  #sentAt(): number {
    return this.#prompted?.at ?? this.#parts.context.clock.now();
  }
}

/** What the record of an end says to a person. */
function messageOf(data: unknown): string {
  const message = typeof data === 'object' && data !== null && 'message' in data ? data.message : null;
  return typeof message === 'string' ? message.slice(0, messageMax) : 'it could not be started';
}
