/**
 * Why a turn failed, in one list for all dialects. Each driver says how its own programs report a failure; what follows from
 * a class stands here: whether trying again may help, and what the person who has to mend it should do.
 */
export type FailureClass =
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'network'
  | 'quota'
  | 'auth'
  | 'context'
  | 'model'
  | 'invalid_request'
  | 'refused'
  | 'unknown';

interface FailureRule {
  /** The same turn may succeed later without a change of ours. */
  readonly passes: boolean;
  readonly hint: string;
}

export const failureRules: { readonly [C in FailureClass]: FailureRule } = {
  rate_limit: { passes: true, hint: 'The provider limits the rate. It is tried again when the provider allows.' },
  overloaded: { passes: true, hint: 'The provider is overloaded. It is tried again later.' },
  server_error: { passes: true, hint: 'The provider failed. It is tried again later.' },
  network: { passes: true, hint: 'The provider could not be reached. Check the network and the proxy.' },
  quota: { passes: true, hint: 'The quota of the account is used up. Raise it, or wait until it is renewed.' },
  auth: { passes: true, hint: 'The login has expired or the key is wrong. Log in again with the agent’s own command.' },
  context: {
    passes: false,
    hint: 'The conversation is too long for the model. Begin a fresh one, or let it be compacted.',
  },
  model: { passes: false, hint: 'The provider does not know this model. Check its name.' },
  invalid_request: { passes: false, hint: 'The provider refused the request. Read its message.' },
  refused: { passes: false, hint: 'The model declined to answer.' },
  unknown: { passes: false, hint: 'Read the message and the agent’s stderr.' },
};

/** A failed request to the model, as its driver understood it. */
export interface ProviderFailure {
  readonly class: FailureClass;
  /** The provider's own hint how long to wait; null: it gave none. */
  readonly retryAfterMs: number | null;
  /** HTTP status, where the dialect tells it. */
  readonly status: number | null;
  readonly message: string;
}

/** The class of an HTTP status of a model's API without further details. A 404 is most often a wrong base URL or model. */
export function classOfStatus(status: number): FailureClass {
  if (status === 401 || status === 403) {
    return 'auth';
  }
  if (status === 402) {
    return 'quota';
  }
  if (status === 404) {
    return 'model';
  }
  if (status === 413) {
    return 'context';
  }
  if (status === 429) {
    return 'rate_limit';
  }
  if (status === 503 || status === 529) {
    return 'overloaded';
  }
  if (status === 408 || status >= 500) {
    return 'server_error';
  }
  return 'invalid_request';
}
