/**
 * `signalbox up`: this process is the launcher. The daemon is its child, the program `serve.ts`, which reads the words; what it
 * prints, it prints itself. Where `up` is the first word, as nearly always, nothing else is loaded before the child is started:
 * two Node programs start one after the other here, and a person waits for both.
 */
import { fileURLToPath } from 'node:url';
import { AppError } from '../../core/errors.ts';
import type { LaunchEnd } from '../../supervise/launcher/launcher.ts';

const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './serve.ts' : './serve.js', import.meta.url));

/** Answers the exit code; throws `AppError` `daemon_lost`. */
export async function launched(words: readonly string[]): Promise<number> {
  const { launch } = await import('../../supervise/launcher/launcher.ts');
  const { LineOutput } = await import('../../supervise/line-output.ts');
  try {
    // With `--json` standard error is a log, one document per line.
    const line = (msg: string): string => JSON.stringify({ level: 50, time: Date.now(), msg });
    const json = words.includes('--json');
    // What it says must not keep it from its work, whether it is read or not.
    const out = new LineOutput({ fd: 2, gap: () => '' });
    const say = (text: string): void => out.write(`${json ? line(text) : text}\n`);
    process.once('exit', () => out.end());
    const end = await launch({ program, args: words, say });
    if (end.kind === 'exit') {
      return end.code;
    }
    throw new AppError({ code: 'daemon_lost', ...wordsOf(end) });
  } finally {
    // A channel to a parent would keep the process, also when the daemon could not start.
    if (process.connected) {
      process.disconnect();
    }
  }
}

export async function main(words: readonly string[]): Promise<number> {
  try {
    return await launched(words);
  } catch (error) {
    const { report } = await import('../report.ts');
    const { LineOutput } = await import('../../supervise/line-output.ts');
    // The end of a lost daemon is not kept waiting by a log that is not read.
    const out = new LineOutput({ fd: 2, gap: () => '' });
    process.once('exit', () => out.end());
    return report(error, null, words.includes('--json'), (text) => out.write(text));
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
