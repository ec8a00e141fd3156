import { linux } from './linux.ts';
import { posix } from './ps.ts';
import type { ProcessSystem } from './types.ts';
import { windows } from './windows.ts';

function choose(platform: NodeJS.Platform): ProcessSystem {
  if (platform === 'linux' || platform === 'android') {
    return linux;
  }
  return platform === 'win32' ? windows : posix;
}

/** The one this process runs on. */
export const system: ProcessSystem = choose(process.platform);
