/** How the fake model makes each real program use its tools, and how its prompts are worded. */
import type { ProgramName } from './acp-programs.ts';

interface Tools {
  /** `NAME:{json}` of a call that runs a shell command. */
  execute(command: string): string;
  /** … of one that writes a file; null: it has no such tool. */
  write(path: string, content: string): string | null;
  /** Calls, one after the other, that replace a text in a file. */
  replace(path: string, before: string, after: string): readonly string[];
  /** … of one that sets the plan of the protocol, with two steps. */
  plan?(first: Status, second: Status): string;
}

type Status = 'pending' | 'in_progress' | 'completed';

const steps = (first: Status, second: Status): readonly { readonly text: string; readonly status: Status }[] => [
  { text: 'look', status: first },
  { text: 'leap', status: second },
];

const call = (name: string, input: object): string => `${name}:${JSON.stringify(input)}`;

export const tools: { readonly [P in ProgramName]: Tools } = {
  gemini: {
    execute: (command) => call('run_shell_command', { command, description: 'as asked' }),
    write: (path, content) => call('write_file', { file_path: path, content }),
    replace: (path, before, after) => [
      call('read_file', { file_path: path }),
      call('replace', { file_path: path, instruction: 'as asked', old_string: before, new_string: after }),
    ],
  },
  copilot: {
    execute: (command) => call('bash', { command, description: 'as asked', mode: 'sync', initial_wait: 60 }),
    write: (path, content) => call('create', { path, file_text: content }),
    replace: (path, before, after) => [call('edit', { path, old_str: before, new_str: after })],
  },
  opencode: {
    execute: (command) => call('bash', { command, description: 'as asked' }),
    write: (path, content) => call('write', { filePath: path, content }),
    replace: (path, before, after) => [
      call('read', { filePath: path }),
      call('edit', { filePath: path, oldString: before, newString: after }),
    ],
  },
  'claude-agent-acp': {
    execute: (command) => call('Bash', { command, description: 'as asked' }),
    write: (path, content) => call('Write', { file_path: path, content }),
    replace: (path, before, after) => [
      call('Read', { file_path: path }),
      call('Edit', { file_path: path, old_string: before, new_string: after }),
    ],
    plan: (first, second) =>
      call('TodoWrite', {
        todos: steps(first, second).map(({ text, status }) => ({ content: text, status, activeForm: `${text}ing` })),
      }),
  },
  'codex-acp': {
    execute: (command) =>
      call('exec_command', { cmd: command, sandbox_permissions: 'require_escalated', justification: 'as asked' }),
    write: () => null,
    replace(path, before, after) {
      const patch = ['*** Begin Patch', `*** Update File: ${path}`, '@@', `-${before}`, `+${after}`, '*** End Patch'];
      return [call('exec_command', { cmd: `apply_patch <<'EOF'\n${patch.join('\n')}\nEOF` })];
    },
    plan: (first, second) =>
      call('update_plan', { plan: steps(first, second).map(({ text, status }) => ({ step: text, status })) }),
  },
};

/** Every prompt begins alike, so that answers to it cost the same. */
export const say = (directives: string): string => `please ${directives}`;
