/** How the fake model makes each real program use its tools, and how its prompts are worded. */
import type { ProgramName } from './acp-programs.ts';

export interface Tools {
  /** `NAME:{json}` of a call that runs a shell command. */
  execute(command: string): string;
  /** … of one that writes a file; null: it has no such tool. */
  write(path: string, content: string): string | null;
}

const call = (name: string, input: object): string => `${name}:${JSON.stringify(input)}`;

export const tools: { readonly [P in ProgramName]: Tools } = {
  gemini: {
    execute: (command) => call('run_shell_command', { command, description: 'as asked' }),
    write: (path, content) => call('write_file', { file_path: path, content }),
  },
  copilot: {
    execute: (command) => call('bash', { command, description: 'as asked', mode: 'sync', initial_wait: 60 }),
    write: (path, content) => call('create', { path, file_text: content }),
  },
  opencode: {
    execute: (command) => call('bash', { command, description: 'as asked' }),
    write: (path, content) => call('write', { filePath: path, content }),
  },
  'claude-agent-acp': {
    execute: (command) => call('Bash', { command, description: 'as asked' }),
    write: (path, content) => call('Write', { file_path: path, content }),
  },
  'codex-acp': {
    execute: (command) =>
      call('exec_command', { cmd: command, sandbox_permissions: 'require_escalated', justification: 'as asked' }),
    write: () => null,
  },
};

/** Every prompt begins alike, so that answers to it cost the same. */
export const say = (directives: string): string => `please ${directives}`;
