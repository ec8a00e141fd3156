/** The runtime's refusals, and the errors that several of its parts throw. Titles and hints are those of the one table. */
import { errorCodes } from '../core/error-codes.ts';
import { AppError } from '../core/errors.ts';
import type { SessionKey } from '../core/model/ids.ts';
import type { Reply } from '../core/model/replies.ts';
import type { Full, Refused } from './api.ts';

export const refused = (code: Refused['code']): Refused => ({ kind: 'refused', code, hint: errorCodes[code].hint });

const fullCodes = { session: 'queue_full', source: 'source_full', daemon: 'daemon_full' } as const;

export const refusedAsFull = (full: Full): Refused => ({ ...refused(fullCodes[full.what]), full });

/** The refusal in an answer of the core. An answer of any other kind is a defect here. */
export function refusal(reply: Reply | Refused): Refused {
  if (reply.kind === 'refused') {
    return 'hint' in reply ? reply : refused(reply.code);
  }
  if (reply.kind === 'stale') {
    return refused(reply.what === 'epoch' ? 'stale_epoch' : 'closing');
  }
  throw new AppError({ code: 'invariant_broken', message: `the core answered with the unexpected kind ${reply.kind}` });
}

export const sessionMoved = (session: SessionKey): AppError =>
  new AppError({ code: 'session_moved', message: `another daemon owns session ${session}` });

export const closing = (): AppError => new AppError({ code: 'closing', message: 'the daemon is closing' });
