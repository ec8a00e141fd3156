/** What this platform cannot do, in words for the start of a daemon, for `doctor`, and for the tests that are left out. */
import { existsSync } from 'node:fs';

export interface PlatformLack {
  /** Short and stable, for the title of a test that is left out. */
  readonly name: 'cookies' | 'process-list';
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
} as const satisfies { readonly [name: string]: PlatformLack };

/** Empty where everything is there: Linux with /proc. */
export function platformLacks(
  platform: NodeJS.Platform = process.platform,
  procMounted = existsSync('/proc/self/stat'),
): readonly PlatformLack[] {
  if (platform === 'linux' || platform === 'android') {
    return procMounted ? [] : [lacks.noProc];
  }
  return [lacks.protectedEnvironments];
}
