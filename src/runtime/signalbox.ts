/**
 * The runtime's front: turns calls into inputs of session actors, and answers from what was committed.
 *
 * Owns the registry, the hub and the figures of one process. Nothing is decided here: who owns a session, what a message
 * does and what an event means is `step`'s alone.
 */
import { epoch, type TaskId, taskId, turnId } from '../core/model/ids.ts';
import type { Actor } from '../core/model/actor.ts';
import type { HangNote } from '../core/model/events.ts';
import type { Input, StopScope } from '../core/model/inputs.ts';
import type { Reply } from '../core/model/replies.ts';
import type { StoredTask } from '../store/port.ts';
import type { Actor as SessionActor } from './session/actor.ts';
import { Admission } from './admission.ts';
import type {
  PermissionResponse,
  CancelAnswer,
  CommandAnswer,
  Refused,
  Signalbox,
  StopAnswer,
  SubmitAnswer,
  SubmitRequest,
} from './api.ts';
import { closing, refusal, refused } from './refusals.ts';
import { Hub } from './queries/hub.ts';
import { contextOf, type SignalboxOptions } from './options.ts';
import { recover } from './session/recovery.ts';
import { closingReason, Registry } from './session/registry.ts';
import { keyResolver } from './session-keys.ts';
import { Stats } from './queries/stats.ts';
import { type ViewParts, Views } from './queries/views.ts';

/** How long ended agents may take to be gone at the close, beyond their own ladder. */
const closeMs = 15_000;

export function createSignalbox(options: SignalboxOptions): Signalbox {
  const context = contextOf(options);
  const stats = new Stats();
  const hub = new Hub((error) => context.onError(error, 'listener'));
  const registry = new Registry(context, stats, hub);
  const ready = recover(context, registry, stats, options.endLeftovers ?? true);
  ready.catch((error: unknown) => context.onError(error, 'recovery'));
  const key = keyResolver(options.resolveSession ?? ((routing) => routing));
  return new Runtime({ context, registry, hub, stats, key, ready });
}

class Runtime extends Views implements Signalbox {
  readonly #parts: ViewParts;
  readonly #admission: Admission;
  #closing: Promise<void> | null = null;

  constructor(parts: ViewParts) {
    super(parts);
    this.#parts = parts;
    this.#admission = new Admission(parts.context, parts.registry, parts.key, parts.ready);
  }

  submit(request: SubmitRequest): Promise<SubmitAnswer> {
    return this.#closing === null ? this.#admission.submit(request) : Promise.resolve(refused('closing'));
  }

  async cancel(task: string, options: { readonly by?: Actor; readonly reason?: string } = {}): Promise<CancelAnswer> {
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

  async edit(task: string, change: { readonly prompt: string; readonly by?: Actor }): Promise<CommandAnswer> {
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
    const reply = await this.#parts.registry.ask(stored.session, make(id, this.#parts.context.clock.wall()));
    if (reply.kind === 'refused' && reply.code === 'unknown_task') {
      const ended = await this.store.task(id);
      if (ended !== null && ended.endedAt !== null) {
        return { kind: 'ended', task: ended };
      }
    }
    return { kind: 'reply', reply };
  }

  async stop(session: string, scope: StopScope, by?: Actor): Promise<StopAnswer> {
    const reply = await this.#sessionCommand(session, (at) => ({ type: 'stop', at, scope, by: by ?? null }));
    return reply.kind === 'receipts' ? { kind: 'receipts', receipts: reply.receipts } : refusal(reply);
  }

  async evict(session: string, options: { readonly epoch?: number; readonly by?: Actor } = {}): Promise<CommandAnswer> {
    const meant = options.epoch === undefined ? null : epoch(options.epoch);
    return this.#operate(session, (at) => ({ type: 'evict', at, epoch: meant, by: options.by ?? null }));
  }

  async park(session: string, reason: string, by?: Actor): Promise<CommandAnswer> {
    return this.#operate(session, (at) => ({ type: 'park', at, reason, by: by ?? null }));
  }

  async unpark(session: string, by?: Actor): Promise<CommandAnswer> {
    return this.#operate(session, (at) => ({ type: 'unpark', at, by: by ?? null }));
  }

  async restartAgent(session: string, by?: Actor): Promise<CommandAnswer> {
    await this.ready;
    const held = this.#parts.registry.live(this.#parts.key(session))?.throttle.resume() ?? false;
    const answer = await this.#operate(session, (at) => ({ type: 'restart-agent', at, by: by ?? null }));
    return held && answer.kind === 'refused' && answer.code === 'agent_not_running' ? { kind: 'ok' } : answer;
  }

  async respond(session: string, { turn, request, allow, note, by }: PermissionResponse): Promise<CommandAnswer> {
    const told = { turn: turnId(turn), request, allow, note: note ?? null, by: by ?? null };
    return this.#operate(session, (at) => ({ type: 'respond', at, ...told }));
  }

  async resumeProvider(name: string): Promise<CommandAnswer> {
    await this.ready;
    const { registry } = this.#parts;
    const known = await this.providers();
    if (!known.some((provider) => provider.name === name)) {
      return refused('unknown_provider');
    }
    return registry.resumeProvider(name) ? { kind: 'ok' } : refused('not_throttled');
  }

  async #operate(session: string, make: (at: number) => Input): Promise<CommandAnswer> {
    const reply = await this.#sessionCommand(session, make);
    return reply.kind === 'ok' ? { kind: 'ok' } : refusal(reply);
  }

  async #sessionCommand(session: string, make: (at: number) => Input): Promise<Reply | Refused> {
    await this.ready;
    const key = this.#parts.key(session);
    if (this.#parts.registry.live(key) === null && (await this.store.session(key)) === null) {
      return refused('unknown_session');
    }
    return this.#parts.registry.ask(key, make(this.#parts.context.clock.wall()));
  }

  noteHang(session: string, note: HangNote): boolean {
    const actor = this.#parts.registry.live(this.#parts.key(session));
    actor?.post({ type: 'report', at: this.#parts.context.clock.wall(), note });
    return actor !== null;
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? this.#parts.context.limits.graceMs);
    return this.#closing;
  }

  /** Running turns may end within the grace; nothing new starts. Then all agents are ended and the store is closed. */
  async #close(graceMs: number): Promise<void> {
    await this.ready.catch(() => {});
    this.#parts.registry.seal();
    const { clock } = this.#parts.context;
    const inTurn = (actor: SessionActor): boolean =>
      !actor.detached && (actor.session.hold?.turn ?? null) !== null && actor.host.running;
    for (const actor of this.#parts.registry.actors()) {
      if (graceMs > 0 && inTurn(actor)) {
        actor.post({ type: 'park', at: clock.wall(), reason: closingReason, by: { kind: 'daemon', name: 'close' } });
      }
    }
    const busy = (): boolean =>
      this.#parts.registry.actors().some((actor) => actor.busy || (graceMs > 0 && inTurn(actor)));
    await this.#within(
      graceMs,
      this.#parts.registry.until(() => !busy()),
    );
    const actors = this.#parts.registry.actors();
    for (const actor of actors) {
      actor.fence(null, closing());
    }
    const { registry } = this.#parts;
    // A commit that is under way is answered before the store is closed: the caller gets the result.
    const written = registry.until(() => !registry.writing);
    const agentsGone = Promise.all(actors.map((actor) => actor.host.gone())).then(() => registry.processRows.written());
    await this.#within(closeMs, Promise.all([written, agentsGone]));
    this.#parts.registry.close();
    await this.store.close();
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.context.clock.timer(ms, resolve);
    });
    await Promise.race([done, late]);
    cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
