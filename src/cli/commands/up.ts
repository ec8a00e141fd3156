import type { Call } from '../call.ts';
import { launched } from '../up/launcher.ts';

export const run = (call: Call): Promise<number> => launched(call.words);
