/** Names in the data folder, for the daemon that writes it and the command line that finds the daemon there. */
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

export const dataFiles = {
  database: 'signalbox.db',
  /** Mode 0600; made at the first start. */
  token: 'token',
  /** Address of the running daemon. The daemon removes the file when it ends; a killed daemon leaves it behind. */
  daemon: 'daemon.json',
  /** Working folders of the agents, one for each session without a configured folder. */
  workspaces: 'workspaces',
  /** Homes of sandboxed sessions, one folder for each. */
  homes: 'homes',
  /** Hang reports, one file each. */
  hangs: 'hangs',
  /** The log of the daemon, and the part before it in a file of the same name with `.1`. */
  log: 'daemon.log',
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
    agent: {
      type: 'object',
      additionalProperties: true,
      required: ['name', 'login'],
      properties: {
        name: { type: 'string' },
        login: {
          type: 'string',
          enum: ['seen', 'none', 'unknown'],
          description: 'Whether a login of the agent was seen at the start of the daemon.',
        },
      },
    },
  },
} as const satisfies Schema;
export type DaemonFile = Wire<typeof DaemonFileSchema>;
