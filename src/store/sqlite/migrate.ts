/**
 * The numbered migrations and how they are applied. `user_version` is the number of those a file has had.
 *
 * They run in rollback-journal mode, not in the WAL: so the header of the main file alone always says truly whose file it
 * is and how new, and a file that must be refused can be recognised without opening it (see `header.ts`).
 */
import type { DatabaseSync } from 'node:sqlite';
import { spine } from './migrations/0001-spine.ts';
import { rowsOfSupervisedAgents } from './migrations/0002-rows-of-supervised-agents.ts';
import { typedEvents } from './migrations/0003-typed-events.ts';
import { fairness } from './migrations/0004-fairness.ts';
import { parts } from './migrations/0005-parts.ts';
import { rewindOfTheSession } from './migrations/0007-rewind-of-the-session.ts';
import { whoEndedTheAgent } from './migrations/0006-who-ended-the-agent.ts';
import { order } from './migrations/0008-order.ts';
import { whatTheConversationHas } from './migrations/0010-what-the-conversation-has.ts';
import { freshConversations } from './migrations/0011-fresh-conversations.ts';
import { keysOfASource } from './migrations/0014-keys-of-a-source.ts';
import { outbox } from './migrations/0015-outbox.ts';
import { whoHasItOpen } from './migrations/0012-who-has-it-open.ts';
import { namedTokens } from './migrations/0013-named-tokens.ts';
import { whoIsToBlame } from './migrations/0009-who-is-to-blame.ts';

/** `SgBx`; in bytes 68 to 71 of the file. */
export const applicationId = 0x53674278;

/** SQL, or what changes each row where SQL would not be clear. Called inside the transaction. */
type Migration = string | ((db: DatabaseSync) => void);

/** In order, append-only. */
export const migrations: readonly Migration[] = [
  spine,
  rowsOfSupervisedAgents,
  typedEvents,
  fairness,
  parts,
  whoEndedTheAgent,
  rewindOfTheSession,
  order,
  whoIsToBlame,
  whatTheConversationHas,
  freshConversations,
  whoHasItOpen,
  namedTokens,
  keysOfASource,
  outbox,
];

/** Brings a file from `version` up to date in one transaction: all of the missing migrations or none. */
export function migrate(db: DatabaseSync, version: number, list: readonly Migration[] = migrations): void {
  db.exec('PRAGMA journal_mode = DELETE');
  db.exec('BEGIN EXCLUSIVE');
  try {
    for (const migration of list.slice(version)) {
      if (typeof migration === 'string') {
        db.exec(migration);
      } else {
        migration(db);
      }
    }
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${list.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) {
      db.exec('ROLLBACK');
    }
    throw error;
  }
}

/** The schema as SQLite keeps it, one statement per paragraph; compared with `schema.sql` in a test. */
export function dumpSchema(db: DatabaseSync): string {
  const rows = db
    .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'trigger', type = 'view', rowid")
    .all();
  return rows.map((row) => `${String(row['sql'])};\n`).join('\n');
}
