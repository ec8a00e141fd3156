/** `--since` and `--until`: a date, or how long ago. */
import { AppError } from '../core/errors.ts';
import type { Call } from './call.ts';
import { unitMs } from './expires-in.ts';

/** Wall clock in ms; null: the flag is not there. Throws `usage`. */
export function timeFlag(call: Call, name: string): number | null {
  const written = call.text(name);
  if (written === null) {
    return null;
  }
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(written) ?? [];
  const at = count === undefined ? Date.parse(written) : Date.now() - Number(count) * (unitMs[unit] ?? 1);
  if (Number.isFinite(at)) {
    return Math.max(0, Math.round(at));
  }
  throw new AppError({
    code: 'usage',
    message: `--${name} must be a date or how long ago, not ${JSON.stringify(written)}`,
    hint: `For example: --${name} 2h, --${name} 7d, --${name} 2026-03-21, --${name} 2026-03-21T10:15Z.`,
  });
}
