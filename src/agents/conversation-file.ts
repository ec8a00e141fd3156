/** What the port says of the files of a conversation, by which it moves to another machine. */
import type { SessionKey } from '../core/model/ids.ts';

/** Which conversation, and where its agent works. */
export interface ConversationPlace {
  readonly session: SessionKey;
  readonly conversation: string;
  readonly folder: string | null;
}

/** A file of a conversation, where it is or would be on this machine. */
export interface ConversationFile {
  /** The same on each machine. */
  readonly name: string;
  /** Absolute; the agent cannot replace it. */
  readonly root: string;
  /** Names of folders below it, and of the file. */
  readonly at: readonly string[];
}
