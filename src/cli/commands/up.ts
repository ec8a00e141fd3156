import type { Call } from '../call.ts';
import { launched } from '../launcher.ts';

export const run = (call: Call): Promise<number> => launched(call.words);
