/**
 * Takes a turn, and all after it, out of Codex's conversation. Files stay as they are.
 *
 * Owned by the agent's handle. Owns Codex's names of the turns that this process took.
 */
import type { TurnId } from '../../core/model/ids.ts';
import { listAt, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { JsonRpc, RpcOutcome } from '../child/json-rpc.ts';

const rememberedMax = 1_000;
/** A turn of an earlier process is looked for among so many of the newest turns. */
const searchedMax = 100;

/** Our own name of a prompt. The conversation keeps it, so it outlives this process. */
export const messageIdOf = (turn: TurnId): string => `signalbox-turn-${turn}`;

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

  /** A turn that is not in the conversation needs no rewind: that is a result too. */
  to(thread: string, turn: TurnId, settled: Settled): void {
    const name = this.#names.get(turn);
    if (name !== undefined) {
      this.#revert(thread, name, settled);
      return;
    }
    this.#rpc.call('thread/turns/list', { threadId: thread, itemsView: 'summary', limit: searchedMax }, (outcome) => {
      if (outcome.kind === 'broken') {
        return;
      }
      const turns = outcome.kind === 'result' && isFields(outcome.result) ? listAt(outcome.result, 'data') : [];
      const wanted = messageIdOf(turn);
      const found = turns.find((one) => listAt(one, 'items').some((item) => item['clientId'] === wanted));
      const id = found === undefined ? null : textAt(found, 'id');
      if (id === null) {
        settled({ kind: 'result', result: null });
      } else {
        this.#revert(thread, id, settled);
      }
    });
  }

  #revert(threadId: string, beforeTurnId: string, settled: Settled): void {
    this.#rpc.call('thread/revert', { threadId, beforeTurnId }, (outcome) => {
      if (outcome.kind === 'error' && /turn not found/i.test(outcome.error.message)) {
        settled({ kind: 'result', result: null });
      } else if (outcome.kind !== 'broken') {
        settled(outcome);
      }
    });
  }
}
