/** What the data folder holds, for the daemon that writes it and the command line that looks for the daemon there. */
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

export const FOLDER = {
  database: 'signalbox.db',
  /** Mode 0600; made at the first start. */
  token: 'token',
  /** Where the running daemon answers; removed when it ends, so one that is there and does not answer was left by a kill. */
  daemon: 'daemon.json',
  /** Working folders of the agents, one for each session that has none of its own elsewhere. */
  workspaces: 'workspaces',
  /** Hang reports, one file each. */
  hangs: 'hangs',
  /** Conversations of the scripted agent. */
  scripted: 'scripted-agent',
} as const;

export const DaemonFileSchema = {
  type: 'object',
  // A newer daemon may say more.
  additionalProperties: true,
  required: ['url', 'pid', 'version', 'startedAt'],
  properties: {
    url: { type: 'string', minLength: 1, maxLength: 500 },
    pid: { type: 'integer', minimum: 1 },
    version: { type: 'string' },
    startedAt: TimeSchema,
  },
} as const satisfies Schema;
export type DaemonFile = Wire<typeof DaemonFileSchema>;
