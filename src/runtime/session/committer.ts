/**
 * Group commit: what many sessions have ready in one pass of the event loop is written in one transaction.
 *
 * Owned by one runtime. Invariants:
 *  committer/1 A session's batch is committed before its effects run and before its next batch is taken.
 *  committer/2 Batches whose inputs only add lines to tapes (output, confirmations, acks) wait at most `outputBatchMs`, and go
 *              with the next urgent commit.
 *  committer/3 Where the store answers at once, the interrupt leaves in the same pass as the commit: no timer, queue or thread
 *              between.
 *  committer/4 A commit that the store rejects for one session stops that session; the others are committed without it.
 *  committer/5 A failed commit loses nothing: commands get the error, agent events and deadlines are applied again after a pause. The
 *              store says so only when nothing was written (`store/7`).
 *  committer/6 One commit is under way at a time, so that listeners get events in the order of the store. What becomes ready
 *              before its answer comes makes the next commit.
 */
import type { CommitOutcome, FeedEvent, SessionCommit } from '../../store/port.ts';
import { CommitRejected } from '../../store/errors.ts';
import type { SessionActor, Batch } from './actor.ts';
import type { Entry } from './batch.ts';
import type { Hub } from '../queries/hub.ts';
import type { Context } from '../options.ts';
import { sessionMoved } from '../refusals.ts';
import type { ClusterLink } from '../cluster/options.ts';
import type { Shares } from '../shares.ts';
import type { Stats } from '../queries/stats.ts';

/** Pause before a failed commit is tried again. */
const retryMs = 250;
/** After so long without a commit the store is told to make its checkpoint. */
const quietMs = 1_000;

interface CommitterParts {
  readonly context: Context;
  readonly stats: Stats;
  readonly hub: Hub;
  readonly shares: Shares;
  readonly cluster: ClusterLink | null;
  /** The store found that the session's records break a rule: its memory is wrong and must go. */
  readonly rejected: (batch: Batch, error: unknown) => void;
  /** Called after an actor's batch is settled: it may be idle. */
  readonly settled: (actor: SessionActor) => void;
}

export class Committer {
  readonly #parts: CommitterParts;
  readonly #ready = new Set<SessionActor>();
  /** A commit is under way: the store has not answered. */
  #writing = false;
  /** What is ready waits for that answer. */
  #waiting = false;
  #scheduled = false;
  #cancelLater: (() => void) | null = null;
  /** Whose inputs wait for another try after a failed commit. */
  readonly #retrying = new Set<SessionActor>();
  #cancelRetry: (() => void) | null = null;
  #committedAt = 0;
  #cancelCheckpoint: (() => void) | null = null;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  get writing(): boolean {
    return this.#writing;
  }

  ready(actor: SessionActor, urgent: boolean): void {
    this.#ready.add(actor);
    const { clock, limits } = this.#parts.context;
    if (urgent) {
      this.#schedule();
    } else if (!this.#scheduled && this.#cancelLater === null) {
      this.#cancelLater = clock.timer(limits.outputBatchMs, () => this.#flush());
    }
  }

  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#parts.context.clock.soon(() => this.#flush());
    }
  }

  #flush(): void {
    this.#scheduled = false;
    this.#cancelLater?.();
    this.#cancelLater = null;
    if (this.#writing) {
      this.#waiting = true;
      return;
    }
    const batches: Batch[] = [];
    // A copy: an actor with more inputs than one batch takes is ready again at once, and its next batch comes after this commit.
    for (const actor of Array.from(this.#ready)) {
      this.#ready.delete(actor);
      const batch = actor.take();
      if (batch !== null) {
        batches.push(batch);
      }
      if (actor.hasInputs) {
        this.ready(actor, true);
      }
    }
    if (batches.length > 0) {
      this.#commit(batches);
    }
  }

  #commit(batches: readonly Batch[]): void {
    const { context, stats } = this.#parts;
    const writes = batches.filter((batch) => batch.records.length > 0 || batch.applied.length > 0);
    if (writes.length === 0) {
      this.#settle(batches, new Map());
      return;
    }
    const group: SessionCommit[] = writes.map((batch) => ({
      session: batch.actor.key,
      lease: batch.actor.lease,
      records: batch.records,
      ...(batch.applied.length === 0 ? {} : { applied: batch.applied }),
    }));
    const began = context.clock.now();
    const committed = (outcomes: readonly CommitOutcome[]): void => {
      this.#committedAt = context.clock.now();
      this.#cancelCheckpoint ??= context.clock.timer(quietMs, () => this.#checkpoint());
      stats.observe('commit_seconds', (context.clock.now() - began) / 1000);
      stats.observe('commit_sessions', writes.length);
      stats.observe(
        'commit_records',
        writes.reduce((sum, batch) => sum + batch.records.length, 0),
      );
      const byBatch = new Map<Batch, CommitOutcome>();
      for (let at = 0; at < writes.length; at += 1) {
        const batch = writes[at];
        const outcome = outcomes[at];
        if (batch !== undefined && outcome !== undefined) {
          byBatch.set(batch, outcome);
        }
      }
      this.#settle(batches, byBatch);
    };
    let outcomes: ReturnType<typeof context.store.commit>;
    try {
      outcomes = context.store.commit(group);
    } catch (error) {
      this.#failed(batches, error);
      return;
    }
    // Never awaited where the answer is there: interrupts leave in this pass (committer/3).
    if (outcomes instanceof Promise) {
      this.#writing = true;
      outcomes.then(
        (late) => this.#whenAlive(() => this.#answered(() => committed(late))),
        (error: unknown) => this.#answered(() => this.#failed(batches, error)),
      );
    } else {
      committed(outcomes);
    }
  }

  /** What is committed may be another node's by the time that the answer comes. */
  #whenAlive(run: () => void): void {
    const { cluster } = this.#parts;
    if (cluster === null) {
      run();
    } else {
      cluster.whenAlive(run);
    }
  }

  /** `take` may begin another commit: of the same group without the session that the store rejected. */
  #answered(take: () => void): void {
    this.#writing = false;
    take();
    if (this.#waiting && !this.#writing) {
      this.#waiting = false;
      this.#schedule();
    }
  }

  #settle(batches: readonly Batch[], outcomes: ReadonlyMap<Batch, CommitOutcome>): void {
    const { context, hub, shares } = this.#parts;
    const published: (readonly FeedEvent[])[] = [];
    const kept: Batch[] = [];
    for (const batch of batches) {
      const outcome = outcomes.get(batch);
      if (outcome?.kind === 'fenced') {
        batch.actor.fence(batch, sessionMoved(batch.actor.key));
        this.#parts.cluster?.fenced(batch.actor.key);
      } else if (outcome?.kind === 'duplicate') {
        this.#duplicate(batch, outcome);
      } else if (outcome?.kind === 'withdrawn') {
        this.#withdrawn(batch, outcome.ids);
      } else {
        kept.push(batch);
        batch.actor.runInterrupts(batch);
        if (outcome?.kind === 'committed') {
          published.push(outcome.events);
        }
      }
    }
    for (const batch of kept) {
      const outcome = outcomes.get(batch);
      if (outcome !== undefined) {
        shares.committed(batch.actor.key, batch);
      }
      try {
        batch.actor.settle(batch, outcome?.kind === 'committed' ? outcome : null);
      } catch (error) {
        context.onError(error, 'settle');
      }
    }
    hub.publish(published);
    if (published.length > 0) {
      this.#parts.cluster?.committed();
    }
    for (const batch of batches) {
      if (batch.actor.hasInputs) {
        this.ready(batch.actor, true);
      }
      this.#parts.settled(batch.actor);
    }
  }

  /** Another submit has won this idempotency key: its sender gets that task, the rest of the batch is applied again. */
  #duplicate(batch: Batch, outcome: Extract<CommitOutcome, { kind: 'duplicate' }>): void {
    const isIt = ({ input }: Entry): boolean => {
      const payload = input.type === 'submit' ? batch.payloads.get(input.task.id) : undefined;
      return payload?.idempotencyKey === outcome.idempotencyKey && payload.source === outcome.source;
    };
    for (const { letter, done } of batch.entries.filter(isIt)) {
      const reply = { kind: 'refused', code: 'duplicate_task' } as const;
      if (letter === undefined) {
        done?.(reply);
      } else {
        letter.answer(reply);
      }
    }
    batch.actor.revert(batch, (entry) => !isIt(entry));
    this.#parts.stats.count('duplicate_admissions');
  }

  /** Their senders have taken these commands back: the rest of the batch is applied again. */
  #withdrawn(batch: Batch, ids: readonly string[]): void {
    const isGone = ({ letter }: Entry): boolean => letter !== undefined && ids.includes(letter.id);
    for (const { letter } of batch.entries.filter(isGone)) {
      letter?.over();
    }
    batch.actor.revert(batch, (entry) => !isGone(entry));
    this.#parts.stats.count('withdrawn_commands');
  }

  #failed(batches: readonly Batch[], error: unknown): void {
    const { context, stats } = this.#parts;
    stats.count('commit_failures');
    context.onError(error, 'commit');
    const rejected =
      error instanceof CommitRejected ? batches.find(({ actor }) => actor.key === error.session) : undefined;
    if (rejected !== undefined) {
      // Trying it again cannot help: this session stops, the others are committed without it.
      this.#parts.rejected(rejected, error);
      this.#commit(batches.filter((batch) => batch !== rejected));
      return;
    }
    for (const batch of batches) {
      // Commands get the error and are not retried; events of the agent and deadlines must not be lost.
      for (const entry of batch.entries) {
        entry.fail?.(error);
      }
      batch.actor.revert(batch, (entry) => entry.fail === null);
    }
    for (const { actor } of batches) {
      if (actor.hasInputs) {
        this.#retrying.add(actor);
      } else {
        this.#parts.settled(actor);
      }
    }
    if (this.#retrying.size > 0) {
      this.#cancelRetry ??= context.clock.timer(retryMs, () => this.#retry());
    }
  }

  #retry(): void {
    this.#cancelRetry = null;
    for (const actor of this.#retrying) {
      if (actor.hasInputs) {
        this.ready(actor, true);
      }
    }
    this.#retrying.clear();
  }

  /** One timer for a burst of commits, however long: it is armed again if there was a commit in the meantime. */
  #checkpoint(): void {
    const { clock, store, onError } = this.#parts.context;
    const quiet = clock.now() - this.#committedAt;
    this.#cancelCheckpoint = quiet < quietMs ? clock.timer(quietMs - quiet, () => this.#checkpoint()) : null;
    if (this.#cancelCheckpoint !== null) {
      return;
    }
    try {
      const done = store.checkpoint();
      if (done instanceof Promise) {
        done.catch((error: unknown) => onError(error, 'checkpoint'));
      }
    } catch (error) {
      onError(error, 'checkpoint');
    }
  }

  /** Ends its timers; what is not committed by now is not committed by this runtime. */
  close(): void {
    this.#cancelLater?.();
    this.#cancelRetry?.();
    this.#cancelCheckpoint?.();
    this.#cancelLater = null;
    this.#cancelRetry = null;
    this.#cancelCheckpoint = null;
    this.#retrying.clear();
  }
}
