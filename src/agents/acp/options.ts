/** What a user may set for an ACP agent; what is left out comes from the profile. */
import type { ProgramOptions } from '../child/json-lines.ts';
import type { ProfileName } from './profiles/index.ts';

export interface AcpDriverOptions extends Partial<ProgramOptions> {
  /** The program, as far as it differs from the letter of the protocol. Default: `acp`, by the letter. */
  readonly profile?: ProfileName;
  /** Shown in `explain` and on tapes. Default: the profile's. */
  readonly name?: string;
  /** Who answers its model requests. Default: the profile's. */
  readonly provider?: string;
  /** Arguments behind the profile's. */
  readonly args?: readonly string[];
  /** The model where a session asks for none. Default: the agent's own. */
  readonly model?: string;
  /** Id of the `authMethods` entry to use where the agent asks for a login. Default: none; the first turn fails as `auth`. */
  readonly authMethod?: string;
  /** True: the program's own commands and mentions in a prompt take effect. Default false: prompts come from outside, and are plain text. */
  readonly expandPrompts?: boolean;
  /** True: the program's own settings, in the home and in the folder, stand over the policy of the task. Default false. */
  readonly trustSettings?: boolean;
  /** Serves files of the session's folder to an agent that asks for them. Default: true. */
  readonly files?: boolean;
  /** Longest file that is read or written for the agent. Default 4 MiB. */
  readonly fileMaxBytes?: number;
  /** Runs commands for an agent that asks for them (`terminal/*`). Default: false. */
  readonly terminal?: boolean;
  /** Commands that run for the agent at a time. Default 8. */
  readonly terminalsMax?: number;
  /** Output that is kept of each, where the agent does not ask for less. Default 1 MiB. */
  readonly terminalMaxBytes?: number;
  /** Wall-clock ms, of the times of tool calls. Default: Date.now. */
  readonly wall?: () => number;
}

/** With the profile's defaults put in. */
export type AcpOptions = AcpDriverOptions & ProgramOptions;
