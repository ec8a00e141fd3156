/** The drivers' contract with the real programs: vitest, with a configuration of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ProgramName } from './programs.ts';
import type { Outcome } from './run.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../vitest.mjs', import.meta.resolve('vitest')));

export async function runContract(program: ProgramName, say: (line: string) => void): Promise<Outcome> {
  const base = { program, scenario: 'contract', ms: 0 };
  const file = `test/agents/${program}-real.test.ts`;
  if (!existsSync(`${root}${file}`)) {
    return { ...base, kind: 'skipped', why: `there is no ${file}` };
  }
  const began = performance.now();
  const child = spawn(process.execPath, [vitest, 'run', '--config', 'e2e/vitest.config.ts', file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => (said += part.toString()));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const ms = performance.now() - began;
  const counts = /^\s+Tests {2}(.*)$/m.exec(said)?.[1] ?? 'no test ran';
  say(`  ${code === 0 ? 'passed ' : 'failed '} contract: ${counts} (${(ms / 1000).toFixed(1)} s)`);
  if (code === 0 && /\d+ passed/.test(counts)) {
    return { ...base, kind: 'passed', ms, why: '' };
  }
  return { ...base, kind: 'failed', ms, why: said };
}
