/** What an agent's host needs of the conversations that move among nodes. */
import type { ConversationPlace } from '../../agents/conversation-file.ts';
import type { AgentDriver } from '../../agents/port.ts';
import type { TurnId } from '../../core/model/ids.ts';

/** With the driver of the agent that has it; null: it has none. */
export interface DrivenConversation extends ConversationPlace {
  readonly driver: AgentDriver | null;
}

/** Of a session that this node owns. */
export interface OwnedConversation extends DrivenConversation {
  readonly lease: number;
}

export interface ConversationKeeper {
  /**
   * Puts the conversation where the agent finds it. Null: it can be resumed, as far as this node knows. Else why not, for a person. `covers`: whether
   * no turn was sent since that one, when the session came to this node.
   */
  find(conversation: DrivenConversation, covers: (turn: number) => boolean): Promise<string | null>;
  /** An agent of this node has it, and is not ready yet. Resolves when that is stored, or `isWanted` says no more. */
  opened(conversation: OwnedConversation, isWanted: () => boolean): Promise<void>;
  /** A turn has ended in it. */
  turned(conversation: OwnedConversation, turn: TurnId): void;
  /** Its agent is gone. */
  closed(conversation: OwnedConversation, lastTurn: number): void;
}
