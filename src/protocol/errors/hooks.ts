/** Webhook deliveries. */
import type { ErrorEntry } from './entry.ts';
import { EXIT } from './entry.ts';

export const hookErrors = {
  unknown_hook: { status: 404, exit: EXIT.notFound, title: 'No such hook', hint: 'Configure it under `hooks`.' },
  bad_signature: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The signature does not fit',
    hint: 'Check that both sides have the same secret.',
  },
  missing_signature: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The delivery is not signed',
    hint: 'Set a secret where the hook is sent from.',
  },
  stale_timestamp: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The delivery is too old or from the future',
    hint: 'Check the clocks of both machines.',
  },
  missing_header: { status: 400, exit: EXIT.usage, title: 'A header is missing', hint: 'See `detail` for its name.' },
} as const satisfies { readonly [code: string]: ErrorEntry };
