import { linux } from './linux.ts';
import { posix } from './ps.ts';
import type { ProcessSystem } from './types.ts';

/** The system that this process runs on. */
export const system: ProcessSystem = process.platform === 'linux' || process.platform === 'android' ? linux : posix;
