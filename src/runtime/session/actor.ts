/**
 * The actor of one session: applies its inputs one after the other, and runs the effects of what was committed.
 *
 * Owned by the runtime, one for each session that is not idle. The committer calls `take`, then `runInterrupts` and `settle`.
 * Messages in: inputs (`post`) from commands, the agent, runners and deadlines. Out: records to the store, effects to the host.
 *
 *  actor/1 Inputs are applied in the order of their posting; there is no await between two steps.
 *  actor/2 Effects run only after the records of their step are durable, interrupts of all sessions first.
 *  actor/3 A failed commit leaves no effect: its commands get the error, all other inputs are applied again.
 *  actor/4 A step that throws stops this session (`fault`, parked), never the daemon.
 *  actor/5 A fenced actor does nothing more. If the commit of a batch is answered after that, its callers get their answers, and its
 *          effects do not run.
 */
import { AppError } from '../../core/errors.ts';
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { Input, InputOf, RunnerInput } from '../../core/model/inputs.ts';
import type { Session } from '../../core/model/session.ts';
import type { Effect } from '../../core/model/effects.ts';
import type { Record as StepRecord } from '../../core/model/records.ts';
import type { Reply, StepResult } from '../../core/model/replies.ts';
import { isInTool } from '../../core/rules/turn.ts';
import { step } from '../../core/step.ts';
import { treeSize } from '../../core/tree.ts';
import type { CommitOutcome, TaskPayload } from '../../store/port.ts';
import { AgentHost } from '../agent/host.ts';
import { Deadlines } from './deadlines.ts';
import type { Context } from '../options.ts';
import type { CrashLoop } from '../throttle/crashes.ts';
import type { AgentPool } from '../agent/pool.ts';
import type { ProcessRows } from '../agent/process-rows.ts';
import { SessionThrottle } from '../throttle/session-throttle.ts';
import type { Providers } from '../throttle/providers.ts';
import type { Applied } from '../../store/nodes.ts';
import type { ClusterLink } from '../cluster/options.ts';
import { replyAnswer } from '../cluster/letter-body.ts';
import type { Entry, EntryLetter, Steps } from './batch.ts';
import { splitEntry, wholeReply } from './split.ts';
import { EffectRunner } from './effects.ts';
import type { Holders } from './holders.ts';
import type { Runners } from './runners.ts';
import type { Stats } from '../queries/stats.ts';

/** Steps taken in one pass before other sessions get their turn. */
const maxStepsAPass = 256;

/** Effects that end an agent or a runner. */
const endingEffects: ReadonlySet<Effect['type']> = new Set(['kill', 'close', 'abort'] as const);

export interface Batch extends Steps {
  readonly actor: SessionActor;
}

interface ActorParts {
  readonly context: Context;
  readonly pool: AgentPool;
  readonly processRows: ProcessRows;
  readonly runners: Runners;
  readonly holders: Holders;
  readonly stats: Stats;
  readonly providers: Providers;
  readonly crashes: CrashLoop;
  readonly cluster: ClusterLink | null;
  /** The actor has inputs; `urgent` false: only output chunks, which may wait for company. */
  readonly ready: (actor: SessionActor, urgent: boolean) => void;
}

/** A holder has said something under its own epoch. */
const isSignOfLife = (input: Input, reply: Reply): input is RunnerInput | InputOf<'claim'> =>
  (input.type === 'claim' || 'run' in input) && reply.kind !== 'stale' && reply.kind !== 'refused';

/** No turn was sent after that one in a session as it is stored: the next may have been granted, and was not sent. */
const coversAll = ({ turns, hold }: Session, turn: number): boolean =>
  turns === turn || (turns === turn + 1 && hold !== null && hold.turn === null);

const withoutAgent = ({ lifted }: Entry, reply: Reply): boolean =>
  lifted === true && reply.kind === 'refused' && reply.code === 'agent_not_running';

export class SessionActor {
  readonly key: SessionKey;
  readonly deadlines: Deadlines;
  readonly host: AgentHost;
  readonly throttle: SessionThrottle;
  readonly #parts: ActorParts;
  readonly #effects: EffectRunner;
  #inbox: Entry[] = [];
  #session: Session;
  #lease: number;
  /** Why it was fenced. */
  #detached: AppError | null = null;
  /** Taken, and not settled or reverted yet. */
  #batch: Batch | null = null;
  /** When the present hold was granted, wall clock in ms; for `explain`. */
  heldSince = 0;

  constructor(parts: ActorParts, session: Session, lease: number) {
    const { context } = parts;
    this.key = session.key;
    this.#parts = parts;
    this.#session = session;
    this.#lease = lease;
    this.deadlines = new Deadlines(context.clock, context.limits, (name, of) =>
      this.post({ type: 'timer', at: context.clock.wall(), name, subject: of }),
    );
    this.throttle = new SessionThrottle({
      clock: context.clock,
      random: context.random,
      providers: parts.providers,
      provider: () => context.fleet.providerOf(this.#session),
      crashes: parts.crashes,
      freshWhenFull: context.freshWhenFull,
      post: (throttle) => this.post({ type: 'throttle', at: context.clock.wall(), throttle }),
    });
    this.host = new AgentHost({
      context,
      pool: parts.pool,
      processRows: parts.processRows,
      session: session.key,
      throttle: this.throttle,
      post: (input) => this.#fromAgent(input),
      tell: (input, done) => this.#enqueue({ input, postedAt: context.clock.now(), done, fail: null }),
      state: () => this.committed,
      keeps: (keeps) => this.deadlines.keepIdle(keeps),
      nodes: parts.cluster,
      lease: () => this.#lease,
      covers: (turn) => coversAll(session, turn),
    });
    this.#effects = new EffectRunner(context, this, parts, parts.stats);
  }

  get session(): Session {
    return this.#session;
  }

  /** As it is stored, so far as that is known: without the batch whose commit is under way. For views. */
  get committed(): Session {
    return this.#batch?.before ?? this.#session;
  }

  get lease(): number {
    return this.#lease;
  }

  get detached(): boolean {
    return this.#detached !== null;
  }

  /** Its commit is under way. */
  get writing(): boolean {
    return this.#batch !== null;
  }

  /** Inputs wait, or are applied and not committed yet. */
  get busy(): boolean {
    return this.#batch !== null || this.#inbox.length > 0;
  }

  /** Nothing is open, nothing runs, nothing waits to be applied: the actor may be forgotten. */
  get atRest(): boolean {
    const s = this.#session;
    return (
      !this.busy &&
      !this.host.running &&
      (s.fenced || (s.hold === null && s.agent.kind === 'none' && s.parked === null && treeSize(s.tasks) === 0)) &&
      // The end of a throttle is recorded too, so that the tape has both.
      (s.fenced || s.throttle === null)
    );
  }

  get hasInputs(): boolean {
    return this.#inbox.length > 0;
  }

  post(input: Input): void {
    this.#enqueue({ input, postedAt: this.#parts.context.clock.now(), done: null, fail: null });
  }

  /** For commands: resolves with the answer once its records are durable. */
  ask(input: Input): Promise<Reply> {
    return new Promise((done, fail) => {
      this.#enqueue({ input, postedAt: this.#parts.context.clock.now(), done, fail, ...this.#lifts(input) });
    });
  }

  /** From another node: answered by the commit that applies it. */
  command(input: Input, letter: EntryLetter): void {
    const postedAt = this.#parts.context.clock.now();
    this.#enqueue({ input, postedAt, done: letter.over, fail: letter.failed, letter, ...this.#lifts(input) });
  }

  /** A restart of the agent ends what holds the session back by itself, before it is applied. */
  #lifts(input: Input): { readonly lifted?: true } {
    return input.type === 'restart-agent' && this.throttle.resume() ? { lifted: true } : {};
  }

  #enqueue(entry: Entry): void {
    this.#inbox.push(entry);
    this.#parts.ready(this, this.#urgent(entry.input));
  }

  /**
   * Whether the input needs its own commit. An input that only adds a line to a tape may wait for others: an output chunk, a
   * confirmation with nothing latched, an ack whose result has still to come. Whatever makes one of these matter is urgent
   * itself and takes the inbox along, so that this is about the disk, and decides nothing.
   */
  #urgent(input: Input): boolean {
    if (input.type === 'output') {
      return false;
    }
    if (input.type !== 'ack' && input.type !== 'turn-started') {
      return true;
    }
    const turn = this.#session.hold?.turn ?? null;
    if (turn === null || turn.id !== input.turn) {
      return true;
    }
    return input.type === 'ack' ? turn.result !== null || input.noResult : turn.interrupt !== null;
  }

  #fromAgent(input: Input): void {
    this.deadlines.alive();
    this.post(input);
  }

  /** Applies what is in the inbox; null if there is nothing. */
  take(): Batch | null {
    if (this.#inbox.length === 0) {
      return null;
    }
    const before = this.#session;
    const entries: Entry[] = [];
    const replies: Reply[] = [];
    const records: StepRecord[] = [];
    const effects: Effect[] = [];
    const payloads = new Map<TaskId, TaskPayload>();
    const applied: Applied[] = [];
    const waiting = this.#inbox;
    const upTo = Math.min(waiting.length, maxStepsAPass);
    let taken = 0;
    let rest: readonly Entry[] = [];
    for (; taken < upTo && rest.length === 0; taken += 1) {
      const entry = waiting[taken];
      if (entry === undefined) {
        break;
      }
      if (entry.split?.failed === true) {
        continue;
      }
      const stepped = this.#step(entry, taken);
      if (stepped === null) {
        continue;
      }
      const result = withoutAgent(entry, stepped.reply) ? { ...stepped, reply: { kind: 'ok' } as const } : stepped;
      this.#session = result.session;
      this.#noteTools(entry.input);
      const split = splitEntry(entry, result.reply);
      rest = split === null ? [] : [split.rest];
      entries.push(split?.step ?? entry);
      replies.push(result.reply);
      if (split === null && entry.letter?.isAnswered === false) {
        const { id, from } = entry.letter;
        applied.push({ id, from, reply: replyAnswer(wholeReply(entry, result.reply)) });
      }
      for (const record of result.records) {
        records.push(record);
        if (record.type === 'admit') {
          payloads.set(record.task.id, record.payload as TaskPayload);
        } else if (record.type === 'payload') {
          payloads.set(record.task, record.payload as TaskPayload);
        }
      }
      for (const effect of result.effects) {
        effects.push(effect);
      }
    }
    this.#inbox = [...rest, ...waiting.slice(taken)];
    this.#batch = { actor: this, before, entries, replies, records, effects, payloads, applied };
    return this.#batch;
  }

  /** A turn in which a tool runs may be silent for longer. */
  #noteTools(input: Input): void {
    const turn = this.#session.hold?.turn ?? null;
    if (input.type === 'output' && input.part.kind === 'tool' && turn !== null && turn.id === input.turn) {
      this.deadlines.inTool(turn.id, isInTool(turn));
    }
  }

  /** A defect of the core stops the session: its answer is a fault, applied in place of the input. */
  #step(entry: Entry, at: number): StepResult | null {
    const { context, stats } = this.#parts;
    const before = this.#session;
    try {
      context.faults.at('runtime.before-step');
      const result = step(before, entry.input);
      context.observe?.(before, entry.input, result);
      return result;
    } catch (error) {
      stats.count('faults');
      context.onError(error, `step ${entry.input.type}`);
      entry.fail?.(error);
      const reason = error instanceof Error ? error.message : String(error);
      const fault: Input = { type: 'fault', at: entry.input.at, reason };
      try {
        const result = step(before, fault);
        context.observe?.(before, fault, result);
        this.#session = result.session;
        if (entry.fail === null && entry.again === undefined) {
          // That an agent is gone, a runner has returned or a deadline is reached stays true; the fault has changed the state.
          // Right behind it: what was posted later may build on it, as everything does on `recovered`.
          this.#inbox.splice(at + 1, 0, { ...entry, again: entry });
        }
        return { ...result, reply: { kind: 'ok' } };
      } catch (second) {
        context.onError(second, 'fault');
        this.#session = { ...before, fenced: true };
        this.#detached = new AppError({
          code: 'invariant_broken',
          message: `session ${this.key} cannot be stopped by a fault`,
          cause: second,
        });
        return null;
      }
    }
  }

  /** The commit failed or was refused: nothing of the batch happened. Entries that are not kept have had their answer. */
  revert(batch: Batch, keep: (entry: Entry) => boolean): void {
    this.#batch = null;
    if (this.#detached !== null) {
      this.#reject(batch.entries.filter(keep), this.#detached);
      return;
    }
    this.#session = batch.before;
    const waiting = [...batch.entries.filter(keep), ...this.#inbox];
    // An input that is applied again may not throw this time: then nothing is left to apply.
    this.#inbox = waiting.filter(({ again }) => again === undefined || !waiting.includes(again));
  }

  /**
   * Ends everything of the session here and decides nothing more; what was asked and not answered gets the reason. `batch`: what
   * the store refused. Null: whatever is being committed is answered when the store has answered.
   */
  fence(batch: Batch | null, reason: AppError): void {
    const { context, stats } = this.#parts;
    if (batch !== null) {
      this.#batch = null;
      this.#reject(batch.entries, reason);
    }
    if (this.#detached !== null) {
      return;
    }
    this.#rejectLetters();
    stats.count('fenced_sessions');
    const result = step(batch?.before ?? this.#session, { type: 'fenced', at: context.clock.wall() });
    this.#session = result.session;
    this.#detached = reason;
    this.stop();
    // What is being committed has no effects any more; what it ends is ended here.
    const ends = this.#batch?.effects.filter(({ type }) => endingEffects.has(type)) ?? [];
    this.#effects.run([...ends, ...result.effects], new Map());
    this.#reject(this.#inbox, reason);
    this.#inbox = [];
  }

  /** The next owner applies them. Those that are being committed are there or not, and are looked at again. */
  #rejectLetters(): void {
    for (const { letter } of this.#batch?.entries ?? []) {
      letter?.over();
    }
  }

  #reject(entries: readonly Entry[], reason: AppError): void {
    for (const entry of entries) {
      entry.fail?.(reason);
    }
  }

  /** Ends its timers. */
  stop(): void {
    this.deadlines.clear();
    this.throttle.clear();
    this.#effects.clear();
  }

  /** First pass after a commit: interrupts leave before anything else is done for any session. */
  runInterrupts(batch: Batch): void {
    this.#batch = null;
    if (this.#detached === null) {
      this.#effects.interrupts(batch);
    }
  }

  /** Second pass: everything else, then the answers. */
  settle(batch: Batch, outcome: Extract<CommitOutcome, { kind: 'committed' }> | null): void {
    const { context, stats } = this.#parts;
    if (this.#detached === null) {
      context.faults.at('runtime.before-effects');
      this.#effects.observe(batch);
      this.#effects.run(batch.effects, batch.payloads);
      this.host.settled();
      if (batch.before.assigned?.agent !== this.#session.assigned?.agent) {
        this.throttle.tell();
      }
      context.faults.at('runtime.after-effects');
    }
    if (outcome !== null && outcome.late > 0) {
      stats.count('late_dropped', outcome.late);
    }
    for (let at = 0; at < batch.entries.length; at += 1) {
      const reply = batch.replies[at];
      if (reply !== undefined) {
        if (reply.kind === 'stale') {
          stats.count(`stale_${reply.what}`);
        } else if (reply.kind === 'refused') {
          stats.count(`refused_${reply.code}`);
        }
        const entry = batch.entries[at];
        if (entry !== undefined && isSignOfLife(entry.input, reply)) {
          this.deadlines.renewLease(entry.input.task);
        }
        entry?.done?.(reply);
      }
    }
  }
}
