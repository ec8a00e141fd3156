/**
 * Takes a turn, and all after it, out of Codex's conversation. Files stay as they are.
 *
 * Owned by the agent's handle. Owns Codex's names of the turns that this process took.
 */
import type { TurnId } from '../../core/model/ids.ts';
import { type Fields, listAt, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { JsonRpc, RpcOutcome } from '../child/json-rpc.ts';

const rememberedMax = 1_000;
/** A turn of an earlier process is looked for among so many of the newest turns. */
const searchedMax = 100;

const prefix = 'signalbox-turn-';

/** Our own name of a prompt. The conversation keeps it, so it outlives this process. */
export const messageIdOf = (turn: TurnId): string => `${prefix}${turn}`;

const turnOf = (messageId: string | null): number =>
  messageId?.startsWith(prefix) === true ? Number(messageId.slice(prefix.length)) : Number.NaN;

type Settled = (outcome: Exclude<RpcOutcome, { kind: 'broken' }>) => void;

export class Rewind {
  readonly #rpc: JsonRpc;
  readonly #names = new Map<TurnId, string>();

  constructor(rpc: JsonRpc) {
    this.#rpc = rpc;
  }

  /** `name`: Codex's. */
  remember(turn: TurnId, name: string): void {
    this.#names.set(turn, name);
    const [oldest] = this.#names.keys();
    if (oldest !== undefined && this.#names.size > rememberedMax) {
      this.#names.delete(oldest);
    }
  }

  /** Where the turn is gone already, a later one may still be there. A conversation without any of them needs no rewind: that is a result too. */
  to(thread: string, turn: TurnId, settled: Settled): void {
    const name = this.#names.get(turn);
    if (name === undefined) {
      this.#search(thread, turn, settled);
    } else {
      this.#revert(thread, name, settled, () => this.#search(thread, turn, settled));
    }
  }

  #search(thread: string, turn: TurnId, settled: Settled): void {
    this.#rpc.call('thread/turns/list', { threadId: thread, itemsView: 'summary', limit: searchedMax }, (outcome) => {
      if (outcome.kind === 'broken') {
        return;
      }
      const turns = outcome.kind === 'result' && isFields(outcome.result) ? listAt(outcome.result, 'data') : [];
      const id = firstFrom(turns, turn);
      const nothing = (): void => settled({ kind: 'result', result: null });
      if (id === null) {
        nothing();
      } else {
        this.#revert(thread, id, settled, nothing);
      }
    });
  }

  #revert(threadId: string, beforeTurnId: string, settled: Settled, gone: () => void): void {
    this.#rpc.call('thread/revert', { threadId, beforeTurnId }, (outcome) => {
      if (outcome.kind === 'error' && /turn not found/i.test(outcome.error.message)) {
        gone();
      } else if (outcome.kind !== 'broken') {
        settled(outcome);
      }
    });
  }
}

/** Codex's name of the first of these turns that is the given one of ours, or a later one. */
function firstFrom(turns: readonly Fields[], turn: TurnId): string | null {
  let first = Number.POSITIVE_INFINITY;
  let id: string | null = null;
  for (const one of turns) {
    for (const item of listAt(one, 'items')) {
      const number = turnOf(textAt(item, 'clientId'));
      if (number >= turn && number < first) {
        first = number;
        id = textAt(one, 'id');
      }
    }
  }
  return id;
}
