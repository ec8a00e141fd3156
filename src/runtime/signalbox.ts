/**
 * The runtime's front: turns calls into inputs of session actors, and answers from what was committed.
 *
 * Owns the registry, the hub and the figures of one process. Nothing is decided here: who owns a session, what a message
 * does and what an event means is `step`'s alone.
 */
import { AppError } from '../core/errors.ts';
import { epoch, type SessionKey, sessionKey, type TaskId, taskId } from '../core/ids.ts';
import type { Input } from '../core/inputs.ts';
import type { Reply } from '../core/outputs.ts';
import { treeEntries, treeGet, treeSize } from '../core/tree.ts';
import type { StoredTask, TaskPayload } from '../store/port.ts';
import { endLeftover } from '../supervise/index.ts';
import type { Actor } from './actor.ts';
import type {
  CancelAnswer,
  CommandAnswer,
  Refused,
  RuntimeStats,
  SessionView,
  Signalbox,
  StopAnswer,
  SubmitAnswer,
  SubmitRequest,
} from './api.ts';
import { agentOf, explainEnded, explainOpen, ownerOf } from './explain.ts';
import { follow } from './follow.ts';
import { refused } from './hints.ts';
import { Hub } from './hub.ts';
import { type Context, contextOf, type SignalboxOptions } from './options.ts';
import { CLOSING, Registry } from './registry.ts';
import { Stats } from './stats.ts';

/** Sessions read at a time at the start. */
const RECOVERY_PAGE = 500;
/** How long ended agents may take to be gone at the close, beyond their own ladder. */
const CLOSE_MS = 15_000;

export function createSignalbox(options: SignalboxOptions): Signalbox {
  return new Runtime(contextOf(options), options);
}

class Runtime implements Signalbox {
  readonly ready: Promise<void>;
  readonly #context: Context;
  readonly #resolve: (key: string) => string;
  readonly #stats = new Stats();
  readonly #hub: Hub;
  readonly #registry: Registry;
  /** Submits under way by idempotency key, so that two at the same time make one task. */
  readonly #admitting = new Map<string, Promise<SubmitAnswer>>();
  #closing: Promise<void> | null = null;

  constructor(context: Context, options: SignalboxOptions) {
    this.#context = context;
    this.#resolve = options.resolveSession ?? ((key) => key);
    this.#hub = new Hub((error) => context.onError(error, 'listener'));
    this.#registry = new Registry(context, this.#stats, this.#hub);
    this.ready = this.#recover(options.sweep ?? true);
    this.ready.catch((error: unknown) => context.onError(error, 'recovery'));
  }

  get store(): Context['store'] {
    return this.#context.store;
  }

  /** Ends what a dead daemon left, then takes up every session that has open tasks. */
  async #recover(sweep: boolean): Promise<void> {
    const { store } = this.#context;
    const leftovers = await store.processes();
    await Promise.all(
      leftovers.map(async (row) => {
        if (sweep) {
          const report = await endLeftover(row);
          this.#stats.count(`leftover_${report.leader}`);
          if (report.left.length > 0) {
            this.#context.onError(
              new Error(`processes ${report.left.join(', ')} of an earlier daemon are left`),
              'sweep',
            );
          }
        }
        await store.forgetProcess(row.pid, row.startTime);
      }),
    );
    let cursor: string | null = null;
    do {
      const page = await store.openSessions(cursor, RECOVERY_PAGE);
      for (const key of page.items) {
        await this.#registry.actor(key);
      }
      cursor = page.cursor;
    } while (cursor !== null);
    await this.#registry.until(() => this.#registry.actors().every((actor) => !actor.hasInputs));
  }

  async submit(request: SubmitRequest): Promise<SubmitAnswer> {
    const key = request.idempotencyKey ?? null;
    if (key === null) {
      return this.#admit(request);
    }
    for (;;) {
      const other = this.#admitting.get(key);
      if (other === undefined) {
        break;
      }
      const answer = await other.catch(() => null);
      if (answer?.kind === 'accepted') {
        return { ...answer, duplicate: true };
      }
    }
    const admitting = this.#admitOnce(request, key);
    this.#admitting.set(key, admitting);
    try {
      return await admitting;
    } finally {
      this.#admitting.delete(key);
    }
  }

  async #admitOnce(request: SubmitRequest, key: string): Promise<SubmitAnswer> {
    const known = await this.#byKey(key);
    if (known !== null) {
      return known;
    }
    const answer = await this.#admit(request);
    return answer.kind === 'refused' && answer.code === 'duplicate_task'
      ? ((await this.#byKey(key)) ?? answer)
      : answer;
  }

  async #byKey(key: string): Promise<SubmitAnswer | null> {
    const id = await this.store.taskByIdempotencyKey(key);
    const stored = id === null ? null : await this.store.task(id);
    if (stored === null) {
      return null;
    }
    const { session, row } = stored;
    return {
      kind: 'accepted',
      task: row.id,
      session,
      duplicate: true,
      place: row.place,
      into: row.carrier,
      ended: [],
      fallback: false,
    };
  }

  async #admit(request: SubmitRequest): Promise<SubmitAnswer> {
    await this.ready;
    if (this.#closing !== null) {
      return refused('closing');
    }
    const runner = request.runner ?? null;
    if (runner !== null && !this.#registry.runners.has(runner)) {
      return refused('unknown_runner');
    }
    const key = this.#sessionKey(request.session);
    const lane = request.lane ?? 'interactive';
    const source = request.source ?? 'api';
    const rights = request.rights ?? 'default';
    const payload: TaskPayload = {
      prompt: request.prompt,
      runner,
      input: request.input ?? null,
      source,
      rights,
      author: request.author ?? null,
      idempotencyKey: request.idempotencyKey ?? null,
      labels: request.labels ?? {},
    };
    const id = taskId(this.#context.ids());
    const input: Input = {
      type: 'submit',
      at: this.#context.clock.wall(),
      payload,
      task: {
        id,
        lane,
        mode: runner === null ? 'prompt' : 'code',
        priority: lane === 'background' ? (request.priority ?? 0) : 0,
        party: `${source}\u0000${rights}`,
        whenBusy: request.whenBusy ?? (lane === 'interactive' ? 'preempt' : 'enqueue'),
        onLost: request.onLost ?? 'retry',
        maxAttempts: request.maxAttempts ?? 3,
      },
    };
    const reply = await this.#ask(key, input);
    if (reply.kind === 'admitted') {
      const { place, into, ended, fallback } = reply;
      return { kind: 'accepted', task: id, session: key, duplicate: false, place, into, ended, fallback };
    }
    return refusal(reply);
  }

  async cancel(task: string, options: { readonly by?: string; readonly reason?: string } = {}): Promise<CancelAnswer> {
    const reason = options.reason ?? 'cancelled';
    const stored = await this.#command(task, (id, at) => ({
      type: 'cancel',
      at,
      task: id,
      reason,
      by: options.by ?? null,
    }));
    if (stored.kind === 'ended') {
      return { kind: 'already-terminal', task: stored.task };
    }
    const { reply } = stored;
    return reply.kind === 'receipt' ? { kind: 'receipt', receipt: reply.receipt } : refusal(reply);
  }

  async edit(task: string, change: { readonly prompt: string; readonly by?: string }): Promise<CommandAnswer> {
    const known = await this.task(task);
    const payload = known === null ? null : { ...known.payload, prompt: change.prompt };
    return this.#commandAnswer(task, (id, at) => ({ type: 'edit', at, task: id, payload, by: change.by ?? null }));
  }

  async move(task: string, change: Parameters<Signalbox['move']>[1]): Promise<CommandAnswer> {
    return this.#commandAnswer(task, (id, at) => ({
      type: 'move',
      at,
      task: id,
      lane: change.lane ?? null,
      priority: change.priority ?? null,
      where: change.where ?? null,
      by: change.by ?? null,
    }));
  }

  async #commandAnswer(task: string, make: (id: TaskId, at: number) => Input): Promise<CommandAnswer> {
    const answer = await this.#command(task, make);
    if (answer.kind === 'ended') {
      return refused('task_ended');
    }
    return answer.reply.kind === 'ok' ? { kind: 'ok' } : refusal(answer.reply);
  }

  /** A command for one open task; one that ended meanwhile is answered as ended. */
  async #command(
    task: string,
    make: (id: TaskId, at: number) => Input,
  ): Promise<{ kind: 'reply'; reply: Reply } | { kind: 'ended'; task: StoredTask }> {
    await this.ready;
    const id = taskId(task);
    const stored = await this.store.task(id);
    if (stored === null) {
      return { kind: 'reply', reply: { kind: 'refused', code: 'unknown_task' } };
    }
    if (stored.endedAt !== null) {
      return { kind: 'ended', task: stored };
    }
    const reply = await this.#ask(stored.session, make(id, this.#context.clock.wall()));
    if (reply.kind === 'refused' && reply.code === 'unknown_task') {
      const ended = await this.store.task(id);
      if (ended !== null && ended.endedAt !== null) {
        return { kind: 'ended', task: ended };
      }
    }
    return { kind: 'reply', reply };
  }

  async stop(session: string, scope: 'turn' | 'queue' | 'session', by?: string): Promise<StopAnswer> {
    const reply = await this.#sessionCommand(session, (at) => ({ type: 'stop', at, scope, by: by ?? null }));
    return reply.kind === 'receipts' ? { kind: 'receipts', receipts: reply.receipts } : refusal(reply);
  }

  async evict(
    session: string,
    options: { readonly epoch?: number; readonly by?: string } = {},
  ): Promise<CommandAnswer> {
    const meant = options.epoch === undefined ? null : epoch(options.epoch);
    return this.#operate(session, (at) => ({ type: 'evict', at, epoch: meant, by: options.by ?? null }));
  }

  async park(session: string, reason: string, by?: string): Promise<CommandAnswer> {
    return this.#operate(session, (at) => ({ type: 'park', at, reason, by: by ?? null }));
  }

  async unpark(session: string, by?: string): Promise<CommandAnswer> {
    return this.#operate(session, (at) => ({ type: 'unpark', at, by: by ?? null }));
  }

  async restartAgent(session: string, by?: string): Promise<CommandAnswer> {
    return this.#operate(session, (at) => ({ type: 'restart-agent', at, by: by ?? null }));
  }

  async #operate(session: string, make: (at: number) => Input): Promise<CommandAnswer> {
    const reply = await this.#sessionCommand(session, make);
    return reply.kind === 'ok' ? { kind: 'ok' } : refusal(reply);
  }

  async #sessionCommand(session: string, make: (at: number) => Input): Promise<Reply | Refused> {
    await this.ready;
    const key = this.#sessionKey(session);
    if (this.#registry.live(key) === null && (await this.store.session(key)) === null) {
      return refused('unknown_session');
    }
    return this.#ask(key, make(this.#context.clock.wall()));
  }

  async #ask(key: SessionKey, input: Input): Promise<Reply> {
    const actor = this.#registry.actor(key);
    return (actor instanceof Promise ? await actor : actor).ask(input);
  }

  #sessionKey(key: string): SessionKey {
    const resolved = this.#resolve(key);
    if (resolved.length === 0 || resolved.length > 200) {
      throw new AppError({
        code: 'bad_session_key',
        message: `a session key has 1 to 200 characters, not ${resolved.length}`,
        hint: 'Use a key such as github:acme/app.',
      });
    }
    return sessionKey(resolved);
  }

  async explain(task: string): Promise<ReturnType<typeof explainOpen> | null> {
    await this.ready;
    const stored = await this.store.task(taskId(task));
    if (stored === null || stored.endedAt !== null) {
      return stored === null ? null : explainEnded(stored);
    }
    const found = this.#registry.actor(stored.session);
    const actor: Actor = found instanceof Promise ? await found : found;
    const open = treeGet(actor.session.tasks, stored.row.id);
    if (open === undefined) {
      const ended = await this.store.task(stored.row.id);
      return ended === null ? null : explainEnded(ended);
    }
    return explainOpen(this.#context, actor, stored, open);
  }

  async task(id: string): Promise<StoredTask | null> {
    return this.store.task(taskId(id));
  }

  async tasks(...args: Parameters<Signalbox['tasks']>): ReturnType<Signalbox['tasks']> {
    return this.store.tasks(...args);
  }

  async session(key: string): Promise<SessionView | null> {
    await this.ready;
    const resolved = this.#sessionKey(key);
    const summary = await this.store.session(resolved);
    if (summary === null) {
      return null;
    }
    const actor = this.#registry.live(resolved);
    const queue: TaskId[] = [];
    if (actor !== null) {
      for (const [, id] of treeEntries(actor.session.queue)) {
        queue.push(id);
        if (queue.length >= 1000) {
          break;
        }
      }
    }
    const parked = summary.row.parked;
    return {
      ...summary,
      owner: actor === null ? null : ownerOf(actor),
      agent: actor === null ? 'none' : agentOf(actor.session),
      queue,
      fault: parked !== null && parked.startsWith('fault') ? parked : null,
    };
  }

  async sessions(...args: Parameters<Signalbox['sessions']>): ReturnType<Signalbox['sessions']> {
    return this.store.sessions(...args);
  }

  async tape(session: string, task: string | null, after: number, limit: number): ReturnType<Signalbox['tape']> {
    return this.store.tape(this.#sessionKey(session), task === null ? null : taskId(task), after, limit);
  }

  async feed(session: string | null, after: string | null, limit: number): ReturnType<Signalbox['feed']> {
    return this.store.feed(session === null ? null : this.#sessionKey(session), after, limit);
  }

  async feedEnd(session: string | null): Promise<string | null> {
    return this.store.feedEnd(session === null ? null : this.#sessionKey(session));
  }

  listen(...args: Parameters<Signalbox['listen']>): () => void {
    return this.#hub.listen(...args);
  }

  async *follow(task: string, after = 0, signal?: AbortSignal): ReturnType<Signalbox['follow']> {
    const stored = await this.task(task);
    if (stored === null) {
      throw new AppError({
        code: 'unknown_task',
        message: `there is no task ${task}`,
        hint: refused('unknown_task').hint,
      });
    }
    yield* follow(this.store, this.#hub, stored.session, stored.row.id, after, signal);
  }

  async result(task: string, signal?: AbortSignal): Promise<StoredTask> {
    const known = await this.task(task);
    const iterator = this.follow(task, known?.seq === undefined ? 0 : Math.max(0, known.seq - 1), signal);
    for await (const event of iterator) {
      if (event.type === 'final') {
        break;
      }
    }
    const ended = await this.task(task);
    if (ended === null) {
      throw new AppError({ code: 'unknown_task', message: `there is no task ${task}` });
    }
    return ended;
  }

  async stats(): Promise<RuntimeStats> {
    const actors = this.#registry.actors();
    let holds = 0;
    const queueDepth = { interactive: 0, background: 0 };
    for (const { session } of actors) {
      holds += session.hold === null ? 0 : 1;
      let interactive = 0;
      for (const [key] of treeEntries(session.queue)) {
        if (key.rank !== 0) {
          break;
        }
        interactive += 1;
      }
      queueDepth.interactive += interactive;
      queueDepth.background += treeSize(session.queue) - interactive;
    }
    return {
      store: await this.store.stats(),
      sessionsLive: actors.length,
      agentsRunning: this.#registry.pool.running,
      holds,
      queueDepth,
      counters: this.#stats.counters(),
      histograms: this.#stats.histograms(),
    };
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? this.#context.limits.graceMs);
    return this.#closing;
  }

  /** Running turns may end within the grace; nothing new starts. Then all agents are ended and the store is closed. */
  async #close(graceMs: number): Promise<void> {
    await this.ready.catch(() => {});
    const { clock } = this.#context;
    const inTurn = (actor: Actor): boolean =>
      !actor.detached && (actor.session.hold?.turn ?? null) !== null && actor.host.running;
    for (const actor of this.#registry.actors()) {
      if (graceMs > 0 && inTurn(actor)) {
        actor.post({ type: 'park', at: clock.wall(), reason: CLOSING, by: 'close' });
      }
    }
    const busy = (): boolean =>
      this.#registry.actors().some((actor) => actor.hasInputs || (graceMs > 0 && inTurn(actor)));
    await this.#within(
      graceMs,
      this.#registry.until(() => !busy()),
    );
    const actors = this.#registry.actors();
    for (const actor of actors) {
      actor.fence(null);
    }
    await this.#within(CLOSE_MS, Promise.all(actors.map((actor) => actor.host.gone())));
    await this.store.close();
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#context.clock.timer(ms, resolve);
    });
    await Promise.race([done, late]);
    cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function refusal(reply: Reply | Refused): Refused {
  if (reply.kind === 'refused') {
    return 'hint' in reply ? reply : refused(reply.code);
  }
  if (reply.kind === 'stale') {
    return refused(reply.what === 'epoch' ? 'stale_epoch' : 'closing');
  }
  throw new AppError({ code: 'invariant_broken', message: `an answer of kind ${reply.kind} was not expected` });
}
