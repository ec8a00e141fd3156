/** Installs the programs that a run needs and that are not here, at the versions of their lockfiles. */
import { spawn } from 'node:child_process';
import type { ProgramName, RealProgram } from './programs.ts';
import { groupFolder, isInstalled, locate, realPrograms } from './programs.ts';

const deadlineMs = 300_000;
const progressMs = 5_000;

/** Groups that have to be installed so that each of these programs is there; the user's own need none. */
export function groupsToInstall(names: readonly ProgramName[]): readonly RealProgram['group'][] {
  const lacking = realPrograms.filter((program) => {
    const located = locate(program.name);
    return names.includes(program.name) && (located.kind === 'absent' || (!located.own && !isInstalled(program.group)));
  });
  return [...new Set(lacking.map(({ group }) => group))];
}

/** Resolves with what went wrong; null: nothing. */
export async function install(group: RealProgram['group'], say: (line: string) => void): Promise<string | null> {
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
  say(`installing e2e/clients/${group} (npm ci) …`);
  const progress = setInterval(() => say(`  … ${seconds()} s`), progressMs);
  const [program, first] = npm();
  const child = spawn(program, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: groupFolder(group),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: deadlineMs,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-2_000)));
  const failed = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? null : `npm ci: ${code ?? signal}\n${said}`));
  });
  clearInterval(progress);
  if (failed === null) {
    say(`  installed in ${seconds()} s`);
  }
  return failed;
}

/** The npm that runs us, if one does. */
function npm(): readonly [string, readonly string[]] {
  const own = process.env['npm_execpath'] ?? '';
  return own.endsWith('.js') ? [process.execPath, [own]] : ['npm', []];
}
