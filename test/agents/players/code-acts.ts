/** What agents that are code do in the same way, by prompt: asking, and failures of their provider. */
import type { FailureClass } from '../../../src/agents/failures.ts';
import type { FunctionContext, FunctionResult } from '../../../src/agents/index.ts';

/** Null: the prompt asks for none of this. */
export async function* acts(prompt: string, context: FunctionContext): AsyncGenerator<string, FunctionResult | null> {
  if (prompt === 'ask' || prompt === 'ask-withdrawn') {
    const stop = new AbortController();
    const asked = context.requestPermission(
      { kind: 'execute', tool: 'Run', title: 'npm test' },
      { signal: stop.signal },
    );
    if (prompt === 'ask-withdrawn') {
      stop.abort();
    }
    const { allow } = await asked;
    yield allow ? 'allowed' : 'denied';
    return { text: 'done' };
  }
  if (prompt === 'api-429-once') {
    context.retrying({ class: 'rate_limit', status: 429 });
    yield 'done';
    return { text: 'done' };
  }
  const failed = failures[prompt];
  return failed === undefined ? null : { failure: { class: failed } };
}

const failures: { readonly [prompt: string]: FailureClass } = {
  'api-400': 'invalid_request',
  'api-401': 'auth',
  'api-429': 'rate_limit',
  'api-500': 'server_error',
  'api-529': 'overloaded',
  'api-drop': 'network',
};
