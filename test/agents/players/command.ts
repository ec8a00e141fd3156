/** A program of the tests as something that a driver can start by its name: a driver gives its own arguments to a program. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Command extends Disposable {
  readonly command: string;
  /** A folder that goes with it. */
  readonly folder: string;
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** `player`: a file beside this one; `args` come before those of the driver. */
export function playerCommand(player: string, ...args: readonly string[]): Command {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-player-'));
  const file = fileURLToPath(new URL(player, import.meta.url));
  const command = join(folder, 'program');
  const words = [process.execPath, '--max-semi-space-size=1', '--no-warnings', file, ...args].map(quote);
  writeFileSync(command, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(command, 0o755);
  return { command, folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}
