/**
 * A network namespace for one node, with a cable to the rest of this machine that can be pulled: no segment arrives, none is refused, and
 * what was sent meanwhile arrives when the cable is back. It needs root and `ip`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

export interface NetworkSpace extends Disposable {
  /** Of this machine, and of what runs inside: the two ends of the cable. */
  readonly outside: string;
  readonly inside: string;
  /** Before a command that is to run inside. */
  readonly enter: readonly string[];
  plug(): void;
  unplug(): void;
}

const ip = (...words: readonly string[]): void => {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Kept for documentation (RFC 5737), so they lead nowhere else; but a machine may have taken one for itself. */
const networks = ['198.51.100', '203.0.113', '192.0.2'];

/** One that this machine has no address in, and leads nowhere. */
function freeNetwork(): string | null {
  const taken = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
  const routes = spawnSync('ip', ['route'], { encoding: 'utf8' }).stdout;
  return networks.find((net) => ![...taken, routes].some((text) => text.includes(`${net}.`))) ?? null;
}

let spaces = 0;

/** A text: why there is none here. */
export function networkSpace(): NetworkSpace | string {
  const net = freeNetwork();
  if (net === null) {
    return 'no network is free here';
  }
  const [outside, inside] = [`${net}.1`, `${net}.2`];
  spaces += 1;
  const name = `signalbox-${process.pid}-${spaces}`;
  const [near, far] = [`sb${process.pid}n`, `sb${process.pid}f`];
  try {
    ip('netns', 'add', name);
  } catch (error) {
    return `no network namespace can be made here: ${firstLines(error)}`;
  }
  const remove = (): void => {
    // The cable goes with the namespace.
    spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
    spawnSync('ip', ['link', 'del', near], { stdio: 'ignore' });
  };
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
    ip('addr', 'add', `${outside}/30`, 'dev', near);
    ip('-n', name, 'addr', 'add', `${inside}/30`, 'dev', far);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', far, 'up');
    ip('link', 'set', near, 'up');
  } catch (error) {
    remove();
    return `no network can be made here: ${firstLines(error)}`;
  }
  return {
    outside,
    inside,
    enter: ['ip', 'netns', 'exec', name],
    plug: () => ip('link', 'set', near, 'up'),
    unplug: () => ip('link', 'set', near, 'down'),
    [Symbol.dispose]: remove,
  };
}

const firstLines = (error: unknown): string =>
  error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error);
