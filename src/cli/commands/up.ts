/**
 * `signalbox up`: this process is the launcher. The daemon is its child, the program `serve.ts`, which reads the same words;
 * what it prints, it prints itself.
 */
import { fileURLToPath } from 'node:url';
import { AppError } from '../../core/errors.ts';
import type { LaunchEnd } from '../../daemon/launch.ts';
import type { Call } from '../call.ts';
import type { Io } from '../io.ts';

const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../serve.ts' : '../serve.js', import.meta.url),
);

export async function run(call: Call, io: Io): Promise<number> {
  const { launch } = await import('../../daemon/launch.ts');
  try {
    // With `--json` standard error is a log, one document per line.
    const line = (msg: string): void => io.say(JSON.stringify({ level: 50, time: Date.now(), msg }));
    const say = io.json ? line : io.say;
    const end = await launch({ program, args: call.words, say });
    if (end.kind === 'exit') return end.code;
    throw new AppError({ code: 'daemon_lost', ...wordsOf(end) });
  } finally {
    // A channel to a parent would keep the process, also when the daemon could not start.
    if (process.connected) process.disconnect();
  }
}

function wordsOf(end: Exclude<LaunchEnd, { kind: 'exit' }>): { readonly message: string; readonly cause?: unknown } {
  if (end.kind === 'not-started') {
    return { message: `the daemon could not be started: ${end.error.message}`, cause: end.error };
  }
  const { how, pid, ended, left } = end;
  const behind = ended.length === 0 ? '' : `; ${ended.length} of its processes were ended behind it`;
  const still = left.length === 0 ? '' : `; still there: ${left.join(', ')}`;
  return { message: `the daemon (process ${pid}) was ended by ${how}${behind}${still}` };
}
