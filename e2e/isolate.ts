/**
 * Keeps the run away from every network but loopback: in a network namespace of its own where the rights allow it, else by
 * dead proxies.
 */
import { spawn, spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

const insideVariable = 'SIGNALBOX_E2E_INSIDE';

/** A namespace's loopback is down at first. */
const bringUp = '{ ip link set lo up || ifconfig lo up; } >/dev/null 2>&1; exec "$@"';
const inNamespace = (flags: string, command: readonly string[]): readonly string[] => [
  flags,
  '--',
  'sh',
  '-c',
  bringUp,
  'sh',
  ...command,
];

/** Lists the addresses that are there, one in a line. */
const addresses = "console.log(Object.values(os.networkInterfaces()).flat().map((x) => x.address).join('\\n'))";
const isLoopback = (address: string): boolean => address === '127.0.0.1' || address === '::1';

/** Flags of `unshare` that work here: as root, or by a namespace of users. */
function flagsThatWork(): string | null {
  const found = ['-n', '-rn'].find((flags) => {
    const tried = spawnSync('unshare', inNamespace(flags, [process.execPath, '-e', addresses]), { encoding: 'utf8' });
    const lines = tried.status === 0 ? tried.stdout.trim().split('\n') : [];
    return lines.includes('127.0.0.1') && lines.every(isLoopback);
  });
  return found ?? null;
}

type Isolation =
  /** This process is inside. */
  | { readonly kind: 'inside' }
  /** Run this command again by `enter`. */
  | { readonly kind: 'possible'; readonly flags: string }
  | { readonly kind: 'none' };

export function isolation(): Isolation {
  if (process.env[insideVariable] === '1') {
    const reach = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
    if (!reach.every(isLoopback)) {
      throw new Error(`the namespace reaches more than loopback: ${reach.join(', ')}`);
    }
    return { kind: 'inside' };
  }
  const flags = process.platform === 'linux' ? flagsThatWork() : null;
  return flags === null ? { kind: 'none' } : { kind: 'possible', flags };
}

/** Runs this very command again in a namespace; resolves with its exit code. */
export function enter(flags: string): Promise<number> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...inNamespace(flags, command)], {
    stdio: 'inherit',
    env: { ...process.env, [insideVariable]: '1' },
  });
  // Ctrl-C comes to both from the terminal; only what is sent to us alone has to be passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
}
