/**
 * What Codex tells by itself, notification by notification, and which turn it is about.
 *
 * Owned by one agent, which it reads and tells. Invariants:
 *  N-1 What is about a turn goes to it by Codex's name of it. While the response to `turn/start` is awaited that name is not
 *      known: what is about an unknown turn of our conversation waits with the turn and is read then.
 *  N-2 Other conversations are sub-agents of the turn that runs.
 *  N-3 Nothing throws; what is not known becomes `raw`, except for the names that are known to say nothing.
 */
import type { OutputPart } from '../../core/events.ts';
import { notice } from '../shared/parts.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { CodexAgent } from './agent.ts';
import { failureOf } from './failures.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';
import { messagesIn, toolOf } from './items.ts';
import { isIgnored, noticeOf, signsOfLife } from './notifications.ts';
import type { CodexTurn } from './turn.ts';

/** Signs of life are passed on at most this often. */
const lifeEveryMs = 10_000;
const noticesMax = 200;

/** Notifications that belong to one turn of one conversation. */
const ofATurn: ReadonlySet<string> = new Set([
  'turn/started',
  'turn/completed',
  'item/started',
  'item/completed',
  'item/agentMessage/delta',
  'error',
  'thread/tokenUsage/updated',
  ...Object.keys(signsOfLife),
]);

export class Listener {
  readonly #agent: CodexAgent;
  readonly #noticed = new Set<string>();
  #lifeAt = Number.NEGATIVE_INFINITY;

  constructor(agent: CodexAgent) {
    this.#agent = agent;
  }

  hear(method: string, value: unknown, line: string): void {
    const params = isFields(value) ? value : {};
    if (ofATurn.has(method)) {
      this.#ofATurn(method, params, line);
    } else if (method === 'serverRequest/resolved') {
      this.#resolved(params);
    } else if (method === 'account/rateLimits/updated') {
      this.#agent.windows.take(params);
    } else if (!isIgnored(method)) {
      const part = noticeOf(method, params);
      if (part === null) {
        this.#agent.raw(`unknown notification ${method.slice(0, 100)}`, line);
      } else if (part !== 'nothing') {
        this.#notice(part);
      }
    }
  }

  #ofATurn(method: string, params: Fields, line: string): void {
    const thread = textAt(params, 'threadId');
    const name = textAt(params, 'turnId') ?? textAt(fieldsAt(params, 'turn'), 'id');
    if (thread === null || name === null) {
      this.#agent.raw(`${method}: no thread or turn`, line);
      return;
    }
    if (thread !== this.#agent.thread) {
      this.#other(method, thread, name, params);
      return;
    }
    const turn = this.#agent.turn;
    const unknown = turn !== null && turn.codex === null && name !== this.#agent.others.own;
    // Of what comes before the response only the old count of a resumed conversation is surely not about the new turn.
    if (unknown && method !== 'thread/tokenUsage/updated') {
      if (turn.early.length < 1_000) {
        turn.early.push(() => this.#own(method, name, params));
      } else {
        this.#agent.raw(`${method}: too much before the response`, line);
      }
      return;
    }
    this.#own(method, name, params);
  }

  #own(method: string, name: string, params: Fields): void {
    const turn = this.#agent.turn;
    if (method === 'thread/tokenUsage/updated') {
      this.#agent.tokens.take(params, turn?.codex === name);
    }
    if (turn === null || turn.codex !== name) {
      this.#unasked(method, name, params);
      return;
    }
    if (method !== 'turn/started' && method !== 'turn/completed') {
      this.#agent.alive(turn);
    }
    const life = signsOfLife[method];
    if (life !== undefined) {
      this.#life(turn, life);
    }
    switch (method) {
      case 'turn/started':
        this.#agent.confirm(turn);
        return;
      case 'turn/completed':
        this.#agent.complete(turn, fieldsAt(params, 'turn'));
        return;
      case 'item/agentMessage/delta':
        this.#say(turn, turn.say(textAt(params, 'itemId') ?? '', textAt(params, 'delta') ?? ''));
        return;
      case 'item/started':
        this.#item(turn, fieldsAt(params, 'item'), false);
        return;
      case 'item/completed':
        this.#item(turn, fieldsAt(params, 'item'), true);
        return;
      case 'error':
        this.#error(turn, params);
        return;
    }
  }

  /** A turn of our conversation that was not prompted: known turns that are over say nothing new. */
  #unasked(method: string, name: string, params: Fields): void {
    const { others } = this.#agent;
    if (method === 'turn/started') {
      others.ownBegan(name);
      this.#agent.tellOthers({ why: 'Codex has begun a turn by itself' });
    } else if (others.own === name) {
      if (method === 'item/agentMessage/delta') {
        others.ownSays(textAt(params, 'delta') ?? '');
      }
      if (method !== 'turn/completed') {
        return;
      }
      const end = fieldsAt(params, 'turn');
      const text = others.ownEnded();
      this.#agent.tellOthers({
        text: text === '' ? messagesIn(listAt(end, 'items')) : text,
        status: textAt(end, 'status'),
      });
    }
  }

  #other(method: string, thread: string, name: string, params: Fields): void {
    const { others, turn } = this.#agent;
    switch (method) {
      case 'turn/started':
        others.began(thread, name);
        this.#agent.tellOthers({ why: 'a sub-agent has begun' });
        return;
      case 'turn/completed':
        others.ended(thread);
        this.#agent.tellOthers({ why: 'the last sub-agent is done' });
        return;
      case 'item/started':
      case 'item/completed': {
        const tool = toolOf(fieldsAt(params, 'item'), method === 'item/completed');
        turn?.remember(fieldsAt(params, 'item'));
        if (tool !== null && turn?.started === true && !turn.over) {
          this.#agent.tell({
            type: 'output',
            turn: turn.id,
            part: { ...tool, title: `${tool.title} (sub-agent ${thread})` },
          });
        }
        return;
      }
      case 'error':
        if (turn !== null && !turn.over) {
          this.#error(turn, params);
        }
        return;
    }
  }

  #item(turn: CodexTurn, item: Fields, over: boolean): void {
    turn.remember(item);
    if (over && item['type'] === 'agentMessage') {
      this.#say(turn, turn.rest(textAt(item, 'id') ?? '', textAt(item, 'text') ?? ''));
    }
    const tool = toolOf(item, over);
    // What ends after an interrupt was ended by it.
    if (tool === null || turn.over) {
      return;
    }
    this.#agent.tell({ type: 'output', turn: turn.id, part: tool });
  }

  #say(turn: CodexTurn, piece: string): void {
    if (piece === '' || turn.over) {
      return;
    }
    this.#agent.tell({ type: 'output', turn: turn.id, part: { kind: 'text', text: piece } });
  }

  /** The last one of a turn is told again with its end, and counts there. */
  #error(turn: CodexTurn, params: Fields): void {
    if (params['willRetry'] !== true || turn.over) {
      return;
    }
    const failure = failureOf(fieldsAt(params, 'error'), null, this.#agent.resetMs());
    turn.retried = failure;
    this.#agent.tell({ type: 'retrying', turn: turn.id, failure });
  }

  /** Told after each answer too; of our own we have let go by then. */
  #resolved(params: Fields): void {
    const { turn } = this.#agent;
    const id = params['requestId'];
    if (turn === null || (typeof id !== 'number' && typeof id !== 'string')) {
      return;
    }
    const request = String(id);
    if (turn.questions.delete(request)) {
      this.#agent.tell({ type: 'withdrawn', turn: turn.id, request });
    }
  }

  /** Without it a turn that thinks for long would look like one that hangs. */
  #life(turn: CodexTurn, what: string): void {
    const now = this.#agent.wall();
    if (turn.over || now - this.#lifeAt < lifeEveryMs) {
      return;
    }
    this.#lifeAt = now;
    this.#agent.tell({ type: 'output', turn: turn.id, part: notice('working', what) });
  }

  /** Each once: some come with every turn. */
  #notice(part: OutputPart): void {
    const key = JSON.stringify(part);
    if (this.#noticed.has(key) || this.#noticed.size >= noticesMax) {
      return;
    }
    this.#noticed.add(key);
    const turn = this.#agent.turn;
    if (turn !== null && !turn.started) {
      turn.notes.push(part);
    } else {
      this.#agent.tell({ type: 'output', turn: turn?.id ?? null, part });
    }
  }
}
