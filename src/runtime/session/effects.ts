/**
 * Runs the effects of one session's committed steps, and measures the two latencies that matter.
 * Owned by the session's actor. An exception here is a defect of a driver or a runner: it is reported, and the deadlines of
 * the session end what it left undone.
 */
import type { SessionKey, TaskId, TurnId } from '../../core/model/ids.ts';
import type { Session } from '../../core/model/session.ts';
import type { Task } from '../../core/model/task.ts';
import type { Effect } from '../../core/model/effects.ts';
import type { TimerName } from '../../core/model/timers.ts';
import type { PermissionPolicy } from '../../core/model/permission.ts';
import { isInterruptRepeated } from '../../core/rules/turn.ts';
import { treeGet } from '../../core/tree.ts';
import type { Store, StoredTask, TaskPayload } from '../../store/port.ts';
import type { AgentHost } from '../agent/host.ts';
import type { Steps } from './batch.ts';
import type { Deadlines } from './deadlines.ts';
import { type Context, policyFor } from '../options.ts';
import { promptText } from '../agent/prompts.ts';
import type { Holders } from './holders.ts';
import type { RunnerHost, Runners } from './runners.ts';
import type { Stats } from '../queries/stats.ts';

type Payloads = ReadonlyMap<TaskId, TaskPayload>;
type Prompt = Extract<Effect, { type: 'prompt' }>;

/** Pause before a task that could not be read is read again. */
const readAgainMs = 250;

/** The actor, as effects need it. */
interface Target extends Pick<RunnerHost, 'post' | 'ask'> {
  readonly key: SessionKey;
  readonly session: Session;
  readonly committed: Session;
  readonly detached: boolean;
  readonly host: AgentHost;
  readonly deadlines: Deadlines;
  heldSince: number;
}

export class EffectRunner {
  readonly #context: Context;
  readonly #actor: Target;
  readonly #runners: Runners;
  readonly #holders: Holders;
  readonly #stats: Stats;
  readonly #runnerHost: RunnerHost;
  /** Effects that are to be tried again; what cancels each. */
  readonly #waiting = new Set<() => void>();
  #interrupted: { readonly turn: TurnId; readonly at: number; acked: boolean } | null = null;

  constructor(
    context: Context,
    actor: Target,
    { runners, holders }: { readonly runners: Runners; readonly holders: Holders },
    stats: Stats,
  ) {
    this.#context = context;
    this.#actor = actor;
    this.#runners = runners;
    this.#holders = holders;
    this.#stats = stats;
    this.#runnerHost = { session: actor.key, post: (input) => actor.post(input), ask: (input) => actor.ask(input) };
  }

  task(id: TaskId): Task | undefined {
    return treeGet(this.#actor.session.tasks, id);
  }

  interrupts(batch: Steps): void {
    for (const effect of batch.effects) {
      if (effect.type === 'interrupt') {
        this.#guarded(effect, () => this.#actor.host.interrupt(effect.incarnation, effect.turn));
        const now = this.#context.clock.now();
        this.#interrupted = { turn: effect.turn, at: now, acked: false };
        const cause = batch.entries.find((entry) => entry.input.type === 'submit');
        if (cause !== undefined) {
          this.#stats.observe('preempt_seconds', (now - cause.postedAt) / 1000);
        }
      }
    }
  }

  run(effects: readonly Effect[], payloads: Payloads): void {
    for (const effect of effects) {
      this.#guarded(effect, () => this.#run(effect, payloads));
    }
  }

  #guarded(effect: Effect, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#stats.count('effect_errors');
      this.#context.onError(error, `effect ${effect.type}`);
    }
  }

  #run(effect: Effect, payloads: Payloads): void {
    const { host, deadlines } = this.#actor;
    switch (effect.type) {
      case 'interrupt':
        return;
      case 'start':
        // The start deadline counts from the real start, not from the wait for a slot.
        host.start(effect.incarnation, effect, () => deadlines.arm('start', effect.incarnation));
        return;
      case 'prompt':
        this.#prompt(effect, payloads);
        return;
      case 'steer':
        this.#withPayload(effect, effect.task, payloads, (payload) =>
          host.steer(effect.incarnation, effect.turn, effect.task, payload.prompt),
        );
        return;
      case 'respond':
        host.answer(effect.incarnation, effect.turn, effect.request, { allow: effect.allow, note: effect.note });
        return;
      case 'switch':
        host.switchModel(effect.incarnation, effect.model);
        return;
      case 'kill':
      case 'close':
        host.end(effect.incarnation, effect.type);
        return;
      case 'run':
        this.#withPayload(effect, effect.task, payloads, (payload) => {
          // A holder is a program outside: it learns of its grant when it asks.
          if (payload.runner !== null) {
            this.#runners.start(effect, this.#runnerHost, payload);
          }
        });
        return;
      case 'abort':
        this.#runners.abort(effect);
        this.#holders.forget(effect.task, effect.run);
        return;
      case 'settle':
        this.#runners.settle(effect);
        this.#holders.settle(effect);
        return;
      case 'continue':
        this.#actor.post({ type: 'continue', at: this.#context.clock.wall() });
        return;
      case 'arm':
        if (effect.timer === 'idle' && typeof effect.subject === 'number') {
          host.idle(effect.subject);
        }
        this.#arm(effect.timer, effect.subject);
        return;
      case 'disarm':
        deadlines.disarm(effect.timer, effect.subject);
        return;
    }
  }

  #repeatsInterrupt(): boolean {
    const turn = this.#actor.session.hold?.turn ?? null;
    return turn !== null && isInterruptRepeated(turn);
  }

  #arm(timer: TimerName, subject: number | TaskId): void {
    const { deadlines } = this.#actor;
    if (timer === 'lease') {
      const leased = typeof subject === 'string' ? this.task(subject) : undefined;
      if (leased !== undefined && leased.holder !== null) {
        deadlines.armLease(leased.id, leased.holder.leaseMs);
      }
      return;
    }
    if (timer !== 'expiry') {
      if (timer !== 'start') {
        deadlines.arm(timer, subject, this.#repeatsInterrupt());
      }
      return;
    }
    const task = typeof subject === 'string' ? this.task(subject) : undefined;
    if (task !== undefined && task.expiresAt !== null) {
      deadlines.armExpiry(task.id, task.expiresAt);
    }
  }

  #prompt(effect: Prompt, payloads: Payloads): void {
    this.#withPayload(effect, effect.task, payloads, (payload) => {
      const merged: TaskPayload[] = [];
      const send = (): void => {
        const text = this.#textOf(effect) ?? payload.prompt;
        const { author } = payload;
        const { resumed, interruptedMidTurn: cut, delivered, conversationReset: reset } = effect;
        const retried = (this.task(effect.task)?.retries ?? 0) > 0;
        const words = promptText({ text, author, merged, resumed, retried, cut, delivered, reset });
        this.#actor.host.prompt(effect.incarnation, effect.turn, words, {
          rewind: effect.rewind,
          policy: this.#policyOf(effect.task, payload),
        });
      };
      // A loop where the store answers at once, so that many parts need no deep stack.
      const next = (): void => {
        for (let answered = true; answered;) {
          const part = effect.mergedTasks[merged.length];
          if (part === undefined) {
            send();
            return;
          }
          answered = false;
          let late = false;
          this.#withPayload(effect, part, payloads, (found) => {
            merged.push(found);
            answered = true;
            if (late) {
              next();
            }
          });
          late = true;
        }
      };
      next();
    });
  }

  /** That of the call which the turn answers. */
  #textOf({ task, call }: Prompt): string | null {
    if (call === null) {
      return null;
    }
    return this.#runners.textOf(task, call) ?? this.#holders.textOf(task, this.task(task)?.run ?? null, call);
  }

  /** That of the task, or of its rights and of the lane it is in as the turn begins. */
  #policyOf(id: TaskId, payload: TaskPayload): PermissionPolicy {
    return policyFor(this.#context.permissions, payload, this.task(id)?.lane ?? 'interactive');
  }

  /** At once where the store answers at once, so that the prompt is written in the same pass. */
  #withPayload(effect: Effect, id: TaskId, payloads: Payloads, use: (payload: TaskPayload) => void): void {
    const recent = payloads.get(id);
    if (recent !== undefined) {
      use(recent);
      return;
    }
    const read = (stored: StoredTask | null): void => {
      if (stored !== null) {
        use(stored.payload);
      }
    };
    const readLate = (stored: StoredTask | null): void => {
      if (this.#isWanted(effect)) {
        this.#guarded(effect, () => read(stored));
      }
    };
    const failed = (error: unknown): void => {
      this.#context.onError(error, 'read payload');
      this.#later(effect, () => this.#withPayload(effect, id, payloads, use));
    };
    let stored: ReturnType<Store['task']>;
    try {
      stored = this.#context.store.task(id);
    } catch (error) {
      failed(error);
      return;
    }
    if (stored instanceof Promise) {
      stored.then(readLate, failed);
    } else {
      read(stored);
    }
  }

  /** A runner that was never started would own its session forever, so a failed read is retried. */
  #later(effect: Effect, again: () => void): void {
    const cancel = this.#context.clock.timer(readAgainMs, () => {
      this.#waiting.delete(cancel);
      if (this.#isWanted(effect)) {
        this.#guarded(effect, again);
      }
    });
    this.#waiting.add(cancel);
  }

  /** By what is stored: a command that is being committed may still fail. */
  #isWanted(effect: Effect): boolean {
    const { committed, detached } = this.#actor;
    if (detached) {
      return false;
    }
    const turn = committed.hold?.turn ?? null;
    switch (effect.type) {
      case 'run':
        return treeGet(committed.tasks, effect.task)?.run === effect.run;
      case 'prompt':
        return turn !== null && turn.id === effect.turn && turn.phase === 'sent';
      case 'steer':
        return turn !== null && turn.id === effect.turn && treeGet(committed.tasks, effect.task)?.stage === 'steered';
      case 'start':
      case 'interrupt':
      case 'respond':
      case 'switch':
      case 'kill':
      case 'close':
      case 'abort':
      case 'settle':
      case 'continue':
      case 'arm':
      case 'disarm':
        return false;
    }
  }

  /** Ends its timers. */
  clear(): void {
    for (const cancel of this.#waiting) {
      cancel();
    }
    this.#waiting.clear();
  }

  /** Latencies of acks and drains, and since when the owner owns. */
  observe(batch: Steps): void {
    const now = this.#context.clock.now();
    const interrupted = this.#interrupted;
    for (const entry of batch.entries) {
      if (
        interrupted !== null &&
        !interrupted.acked &&
        entry.input.type === 'ack' &&
        entry.input.turn === interrupted.turn
      ) {
        interrupted.acked = true;
        this.#stats.observe('interrupt_ack_seconds', (entry.postedAt - interrupted.at) / 1000);
      }
    }
    if (interrupted !== null && this.#actor.session.hold?.turn?.id !== interrupted.turn) {
      this.#stats.observe('drain_seconds', (now - interrupted.at) / 1000);
      this.#interrupted = null;
    }
    const boundary = batch.entries.find(({ input }) => input.type === 'result' || input.type === 'ack');
    if (boundary !== undefined && batch.effects.some((effect) => effect.type === 'prompt')) {
      this.#stats.observe('hand_over_seconds', (now - boundary.postedAt) / 1000);
    }
    if (batch.before.hold?.epoch !== this.#actor.session.hold?.epoch) {
      this.#actor.heldSince = this.#context.clock.wall();
    }
  }
}
