/** `npm run bench:peers`: installs the peers on first use, then measures. They are no part of the product's own install. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
if (!existsSync(`${folder}node_modules/pg-boss`)) {
  process.stderr.write('bench peers: installing them, once (npm ci --prefix bench/peers)\n');
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
await import('./main.ts');
