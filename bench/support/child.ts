/** Programs of the benchmark in processes of their own: each says one message when it is ready, then answers requests. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly hello: { readonly [name: string]: unknown };
  /** One request at a time: sends, and resolves with the next message. */
  ask(message: object): Promise<{ readonly [name: string]: unknown }>;
}

export async function startProgram(name: string, options: object): Promise<Program> {
  const child = fork(fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--no-warnings', '--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const hello = await answerOf(child, name);
  return {
    pid: child.pid ?? 0,
    hello,
    ask: (message) => {
      const answer = answerOf(child, name);
      child.send(message);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) {
        return;
      }
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // They end with their channel; one that does not is killed.
      child.disconnect();
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    },
  };
}

function answerOf(child: ChildProcess, name: string): Promise<{ readonly [name: string]: unknown }> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`${name} ended with ${code}`));
    child.once('exit', exited);
    child.once('message', (message) => {
      child.off('exit', exited);
      resolve(message as { readonly [name: string]: unknown });
    });
  });
}
