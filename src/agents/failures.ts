/**
 * The classes of failures, one list for all drivers. Each driver maps the failures of its own programs to these classes. This
 * file says what follows from a class: whether a retry may help, and what a person can do.
 */
export type FailureClass =
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'network'
  | 'quota'
  | 'auth'
  | 'context'
  | 'output_limit'
  | 'model'
  | 'invalid_request'
  | 'refused'
  | 'unknown';

interface FailureRule {
  /** The same turn may succeed later, unchanged. */
  readonly transient: boolean;
  readonly hint: string;
}

export const failureRules: { readonly [C in FailureClass]: FailureRule } = {
  rate_limit: {
    transient: true,
    hint: 'Signalbox retries the turn when the provider allows it. If this lasts, raise the rate limit of your account.',
  },
  overloaded: {
    transient: true,
    hint: 'The provider is overloaded, and Signalbox retries the turn. If this lasts, look at the status page of the provider.',
  },
  server_error: {
    transient: true,
    hint: 'The provider failed, and Signalbox retries the turn. If this lasts, look at the status page of the provider.',
  },
  network: {
    transient: true,
    hint: 'Signalbox cannot reach the provider, and retries the turn. Check the network and the proxy.',
  },
  quota: {
    transient: true,
    hint: 'The quota of the account is used up. Raise it, or wait until the provider renews it. Signalbox retries the turn.',
  },
  auth: {
    transient: true,
    hint: 'The login has expired or the key is wrong. Log in again with the agent’s own command. Signalbox retries what waits for it then.',
  },
  context: {
    transient: false,
    hint: 'The conversation is too long for the model. Begin a fresh one with `signalbox new SESSION`, or shorten the prompt.',
  },
  output_limit: {
    transient: false,
    hint: 'The answer was cut off at the limit of the model. Ask for a shorter answer, or in parts.',
  },
  model: { transient: false, hint: 'The provider does not know this model. Check its name.' },
  invalid_request: { transient: false, hint: 'The provider rejected the request. Read its message.' },
  refused: { transient: false, hint: 'The model declined to answer. Change the prompt.' },
  unknown: { transient: false, hint: 'Read the message, and what the agent wrote to stderr.' },
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
