/** Shared by the commands that change a session or a task for an operator, and get `ok` as their answer. */
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import { harmless } from './output/paint.ts';

/** For `by` and `author`: the user of this shell. */
export const userName = (env: Io['env']): string | null => env['USER'] || env['LOGNAME'] || env['USERNAME'] || null;

export function whoAsks(call: Call, io: Io): { readonly by?: string } {
  const by = call.text('by') ?? userName(io.env);
  return by === null ? {} : { by };
}

export function done(io: Io, answer: unknown, text: string): number {
  if (io.json) {
    io.document(answer);
  } else {
    io.print(harmless(text));
  }
  return 0;
}
