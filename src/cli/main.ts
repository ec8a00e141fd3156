/**
 * The way through the command line: parse, run the one command, turn what it throws into a message and an exit
 * code. Everything that not every command needs is loaded when it is needed: help, version and wrong use must come in less
 * than one and a half times the time that an empty Node program takes.
 */
import type { Command } from './command.ts';
import { endOnBrokenPipe, ioOf } from './io.ts';
import { paintFor } from './output/paint.ts';
import { parse } from './parse.ts';
import { report } from './report.ts';
import type { Run } from './call.ts';

/** `runs`: what runs in place of the command's own code; the daemon's program has its own for `up`. */
export async function main(words: readonly string[], runs?: Run): Promise<number> {
  endOnBrokenPipe(process.stdout);
  let command: Command | null = null;
  try {
    const parsed = parse(words);
    ({ command } = parsed.kind === 'run' ? parsed : { command });
    const paint = await paintFor({ terminal: process.stdout.isTTY, env: process.env });
    if (parsed.kind === 'version') {
      const { versionLine } = await import('./version.ts');
      process.stdout.write(`${versionLine()}\n`);
      return 0;
    }
    if (parsed.kind === 'help') {
      const { help } = await import('./help.ts');
      const columns = process.stdout.isTTY ? Math.max(40, process.stdout.columns || 80) : 110;
      process.stdout.write(`${help(parsed.command, { paint, columns })}\n`);
      return 0;
    }
    const run = runs ?? parsed.command.run;
    const json = parsed.call.on('json');
    return await run(
      parsed.call,
      ioOf(() => process, { env: process.env, cwd: process.cwd(), json, paint }),
    );
  } catch (error) {
    return report(error, command, words.includes('--json'));
  }
}
