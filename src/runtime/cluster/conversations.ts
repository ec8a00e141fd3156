/**
 * The conversations of agents, which move with their sessions where their files can be named.
 *
 * Owned by one cluster. The store says for each session which node had its conversation last, and has its files as of a turn.
 *  conversations/1 That this node has a conversation is stored before its agent is ready: a node that had it before does not go on with an older one.
 *  conversations/2 A conversation is taken from the store only if no turn was sent in it since it was kept. Else a fresh one begins, and the tape says why.
 *                  Nodes that share the folder of its files go on with it there.
 *  conversations/3 A session is given back when its conversation is kept, or cannot be.
 *  conversations/4 Writes of one session are carried out one after the other; of those that wait the newest counts.
 */
import type { ConversationFile } from '../../agents/conversation-file.ts';
import type { SessionKey, TurnId } from '../../core/model/ids.ts';
import type { Nodes } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import type { ConversationKeeper, DrivenConversation, OwnedConversation } from './conversation-keeper.ts';
import { packed, placeOf, unpack } from '../workspace/conversation-files.ts';

interface ConversationsParts {
  readonly context: Context;
  readonly nodes: Nodes;
  /** What this node is called: the same after a restart. */
  readonly name: string;
}

interface Write {
  readonly conversation: OwnedConversation;
  readonly turn: number;
  readonly open: boolean;
}

const unnamed = 'the files of this agent cannot be named';
const triesMax = 5;
const retryMs = 250;

export class Conversations implements ConversationKeeper {
  readonly #parts: ConversationsParts;
  readonly #waiting = new Map<SessionKey, Write>();
  readonly #writing = new Map<SessionKey, Promise<void>>();

  constructor(parts: ConversationsParts) {
    this.#parts = parts;
  }

  async find(place: DrivenConversation, covers: (turn: number) => boolean): Promise<string | null> {
    const { nodes, name } = this.#parts;
    await this.kept(place.session);
    const kept = await nodes.conversation(place.session);
    if (kept === null || kept.conversation !== place.conversation || kept.node === name) {
      return null;
    }
    const files = filesOf(place);
    if (kept.place !== null && kept.place === (await folderOf(files))) {
      return null;
    }
    if (files === null) {
      return `it is on the node ${kept.node}, and ${unnamed}`;
    }
    if (kept.files === null) {
      return `it is on the node ${kept.node}: ${kept.lack ?? 'no turn of it was kept'}`;
    }
    if (kept.open && !covers(kept.turn)) {
      return `the node ${kept.node} went away in the middle of it, and its last turn was not kept`;
    }
    try {
      await unpack(kept.files, files);
      return null;
    } catch (error) {
      return `it cannot be brought here from the node ${kept.node}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async opened(owned: OwnedConversation, isWanted: () => boolean): Promise<void> {
    const { nodes, name } = this.#parts;
    const { session, lease, conversation } = owned;
    await this.kept(session);
    const place = await folderOf(filesOf(owned));
    await this.#store(() => nodes.openConversation(session, lease, { conversation, node: name, place }), isWanted);
  }

  turned(conversation: OwnedConversation, turn: TurnId): void {
    if (conversation.driver?.conversationFiles !== undefined) {
      this.#write({ conversation, turn, open: true });
    }
  }

  closed(conversation: OwnedConversation, lastTurn: number): void {
    this.#write({ conversation, turn: lastTurn, open: false });
  }

  /** Resolves when nothing of the session is to be written. */
  async kept(session: SessionKey): Promise<void> {
    await this.#writing.get(session);
  }

  /** Of all sessions. */
  async allKept(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #write(write: Write): void {
    const { session } = write.conversation;
    this.#waiting.set(session, write);
    if (!this.#writing.has(session)) {
      const done = this.#writeAll(session).finally(() => this.#writing.delete(session));
      this.#writing.set(session, done);
    }
  }

  async #writeAll(session: SessionKey): Promise<void> {
    for (let next = this.#waiting.get(session); next !== undefined; next = this.#waiting.get(session)) {
      this.#waiting.delete(session);
      try {
        await this.#keep(next);
      } catch (error) {
        this.#parts.context.onError(error, 'conversation');
      }
    }
  }

  async #keep({ conversation, turn, open }: Write): Promise<void> {
    const { nodes, name } = this.#parts;
    const files = filesOf(conversation);
    const got = files === null ? { lack: unnamed } : await packed(files);
    const { session, lease, conversation: id } = conversation;
    const [text, lack] = 'text' in got ? [got.text, null] : [null, got.lack];
    const place = await folderOf(files);
    const kept = { conversation: id, node: name, place, open, turn, files: text, lack };
    let tries = 0;
    await this.#store(
      () => nodes.keepConversation(session, lease, kept),
      () => (tries += 1) < triesMax,
    );
  }

  async #store(write: () => unknown, isWanted: () => boolean): Promise<void> {
    for (let tries = 1; ; tries = Math.min(tries + 1, triesMax)) {
      try {
        await write();
        return;
      } catch (error) {
        if (!isWanted()) {
          throw error;
        }
        await new Promise<void>((resolve) => {
          this.#parts.context.clock.timer(retryMs * tries, resolve);
        });
      }
    }
  }
}

const folderOf = async (files: readonly ConversationFile[] | null): Promise<string | null> =>
  files?.[0] === undefined ? null : placeOf(files[0]);

const filesOf = ({ driver, ...place }: DrivenConversation) => driver?.conversationFiles?.(place) ?? null;
