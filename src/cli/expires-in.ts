/** `--expires-in`: milliseconds, a time with a unit, or `null`. */
import { AppError } from '../core/errors.ts';
import type { Call } from './call.ts';

export const unitMs: { readonly [unit: string]: number } = { '': 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Undefined: the flag is not there. Throws `usage`. */
export function expiresIn(call: Call): number | null | undefined {
  const written = call.text('expires-in');
  if (written === null || written === 'null') {
    return written === null ? undefined : null;
  }
  const [, count, unit = ''] = /^(\d{1,15})([smhd]?)$/.exec(written) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? 1);
  if (Number.isSafeInteger(ms)) {
    return ms;
  }
  throw new AppError({
    code: 'usage',
    message: `--expires-in must be milliseconds, a time such as 24h, or null, not ${JSON.stringify(written)}`,
    hint: 'For example: --expires-in 90s, --expires-in 24h, --expires-in 7d.',
  });
}
