/** The agent programs that Signalbox is to drive, and whether they are on this machine. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Check } from './check.ts';
import { note, ok } from './check.ts';

export interface AgentProgram {
  readonly command: string;
  readonly title: string;
  readonly install: string;
}

export const agentPrograms: readonly AgentProgram[] = [
  { command: 'claude', title: 'Claude Code', install: 'npm install --global @anthropic-ai/claude-code' },
  { command: 'codex', title: 'Codex', install: 'npm install --global @openai/codex' },
  { command: 'gemini', title: 'Gemini CLI', install: 'npm install --global @google/gemini-cli' },
  { command: 'copilot', title: 'GitHub Copilot CLI', install: 'npm install --global @github/copilot' },
  { command: 'opencode', title: 'OpenCode', install: 'npm install --global opencode-ai' },
];

/** How long a program may take to say its version. */
const versionDeadlineMs = 5_000;

function onPath(command: string, path: string): string | null {
  for (const folder of path.split(delimiter).filter((part) => part !== '')) {
    const file = join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

function versionOf(file: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      ['--version'],
      { timeout: versionDeadlineMs, killSignal: 'SIGKILL', maxBuffer: 65_536 },
      (error, stdout) => resolve(error === null ? (/\d+\.\d+[^\s)]*/.exec(stdout)?.[0] ?? null) : null),
    );
    child.stdin?.end();
  });
}

export function checkAgents(path: string): Promise<readonly Check[]> {
  return Promise.all(
    agentPrograms.map(async ({ command, title, install }) => {
      const file = onPath(command, path);
      if (file === null) return note(`agent ${command}`, `${title} is not on the PATH`, install);
      const version = await versionOf(file);
      return version === null
        ? note(`agent ${command}`, `${file} does not say its version`, `Try \`${command} --version\`.`)
        : ok(`agent ${command}`, `${title} ${version} (${file})`);
    }),
  );
}
