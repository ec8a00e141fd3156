/** Runs a program to its end, or for a time, with all that it starts. */
import { spawn } from 'node:child_process';
import { root } from './files.ts';

export interface Ended {
  /** Null: it was ended because its time was over. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface ChildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Rejects if `signal` is aborted. The program leads a process group, so that its own children end with it. */
export function runChild(args: readonly string[], { env, seconds, signal }: ChildOptions): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let isLate = false;
  const end = (): void => {
    try {
      process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, seconds * 1000);
  signal.addEventListener('abort', end, { once: true });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      act();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('close', (code) =>
      settle(() => {
        if (signal.aborted) {
          reject(new Error('interrupted'));
        } else {
          resolve({ code: isLate ? null : code, stdout, stderr });
        }
      }),
    );
  });
}
