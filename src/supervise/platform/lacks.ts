/** What this platform cannot do, in words for the start of a daemon, for `doctor`, and for the tests that are left out. */
import { existsSync } from 'node:fs';

export interface PlatformLack {
  /** Short and stable, for the title of a test that is left out. */
  readonly name: 'cookies' | 'process-list' | 'process-groups' | 'signals';
  readonly reason: string;
  /** What Signalbox does not do because of it. */
  readonly effect: string;
}

const lacks = {
  noProc: {
    name: 'process-list',
    reason: '/proc is not mounted, so no process can be looked up.',
    effect: 'A process that left its agent’s group is not found, nor what a dead daemon left behind.',
  },
  protectedEnvironments: {
    name: 'cookies',
    reason: 'ps does not show the environment of programs that the system protects.',
    effect: 'Such a program is not found once it has left its agent’s group and its parent has ended.',
  },
  hiddenEnvironments: {
    name: 'cookies',
    reason: 'Windows does not show the environment of another process.',
    effect: 'A process is not found any more once its parent has ended.',
  },
  noGroups: {
    name: 'process-groups',
    reason: 'Windows has no process groups.',
    effect: 'An agent is ended with taskkill, by its tree of processes; who left the tree lives on.',
  },
  noSignals: {
    name: 'signals',
    reason: 'Windows has no signals.',
    effect: 'A program without a window takes no notice of the polite rung of the ladder and is ended at the next one.',
  },
} as const satisfies { readonly [name: string]: PlatformLack };

/** Empty where everything is there: Linux with /proc. */
export function platformLacks(
  platform: NodeJS.Platform = process.platform,
  procMounted = existsSync('/proc/self/stat'),
): readonly PlatformLack[] {
  if (platform === 'linux' || platform === 'android') {
    return procMounted ? [] : [lacks.noProc];
  }
  if (platform === 'win32') {
    return [lacks.hiddenEnvironments, lacks.noGroups, lacks.noSignals];
  }
  return [lacks.protectedEnvironments];
}
