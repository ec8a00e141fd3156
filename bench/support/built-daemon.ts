/** The daemon as it is installed: the built program, started from the command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const cli = fileURLToPath(new URL('../../bundle/cli/bin.js', import.meta.url));

export function mustBeBuilt(): void {
  if (!existsSync(cli)) {
    throw new Error('run `npm run build` first: what is measured is the built program');
  }
}

export interface BuiltDaemon extends AsyncDisposable {
  /** Of the daemon; its parent is the launcher. */
  readonly pid: number;
  readonly launcher: number;
  readonly url: string;
  readonly readyAt: number;
}

/** `signalbox up --json` of the built CLI, on a free port. */
export async function startDaemon(
  folder: string,
  args: readonly string[] = [],
  env: Readonly<{ [name: string]: string }> = {},
): Promise<BuiltDaemon> {
  const child = spawn(
    process.execPath,
    [cli, 'up', '--json', '--data', folder, '--port', '0', '--log-level', 'silent', ...args],
    // By its channel it ends with us, whatever becomes of us.
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, ...env } },
  );
  const line = await firstLine(child);
  const readyAt = performance.now();
  const { url, daemon } = JSON.parse(line) as { readonly url: string; readonly daemon: number };
  return {
    pid: daemon,
    launcher: child.pid ?? 0,
    url,
    readyAt,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) {
        return;
      }
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\n');
      if (end >= 0) {
        resolve(text.slice(0, end));
      }
    });
  });
}
