import { answer } from '../permission-response.ts';
import type { Call } from '../call.ts';
import type { Io } from '../io.ts';

export const run = (call: Call, io: Io): Promise<number> => answer(call, io, false);
