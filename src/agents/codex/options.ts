/** What a user may set for Codex. */
import type { ProgramOptions } from '../child/json-lines.ts';

export interface CodexDriverOptions extends Partial<ProgramOptions> {
  /** Further arguments, behind `app-server`. */
  readonly args?: readonly string[];
  /** Who answers its model requests. Default: `openai`. */
  readonly provider?: string;
  /** The model where a session asks for none. Default: Codex's own. */
  readonly model?: string;
  /**
   * When Codex asks for permission. Default: `untrusted`, under which it asks for everything but the tools of an MCP server
   * that are declared read-only, so that the task's policy decides and nothing else.
   */
  readonly approvalPolicy?: 'untrusted' | 'on-request' | 'never';
  /**
   * Codex's own sandbox. Default: `danger-full-access`. Under `untrusted` a command that was allowed runs outside of the
   * sandbox anyhow, and the sandbox itself works in few containers.
   */
  readonly sandbox?: 'read-only' | 'workspace-write' | 'danger-full-access';
  /** Configuration of the conversation, as in config.toml. Default: goals are off, see docs/agents/codex.md. */
  readonly config?: { readonly [name: string]: unknown };
  /** True: `$name` in a prompt adds the file of that skill. Default false: prompts come from outside, and are plain text. */
  readonly expandPrompts?: boolean;
  /** True: the settings of Codex, in the home and in the folder, stand over the policy of the task. Default false. */
  readonly trustSettings?: boolean;
  /** How long the result of an interrupted turn waits until its commands and sub-agents were ended. Default 1,000. */
  readonly backgroundDeadlineMs?: number;
  /** Wall-clock ms. Default: Date.now. */
  readonly wall?: () => number;
}
