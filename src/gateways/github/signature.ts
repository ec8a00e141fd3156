/**
 * `X-Hub-Signature-256`: HMAC-SHA-256 of the body's bytes, hexadecimal, after `sha256=`
 * (docs.github.com, "Validating webhook deliveries"). The computing and the comparison, which takes the same time wherever
 * two signatures differ (node:crypto `timingSafeEqual`), are @octokit/webhooks-methods'.
 */
import { sign, verifyWithFallback } from '@octokit/webhooks-methods';

/** Another form cannot be right, whatever the secret, so nothing is computed for it. Case matters: GitHub sends lower case. */
export const signaturePattern = /^sha256=[0-9a-f]{64}$/;

/** `text` must have exactly the delivered bytes (`exactText`). Any of the secrets may have signed. */
export async function isSigned(text: string, signature: string, secrets: readonly string[]): Promise<boolean> {
  const [first, ...others] = secrets;
  if (first === undefined || text === '' || !signaturePattern.test(signature)) {
    return false;
  }
  return verifyWithFallback(first, text, signature, others);
}

interface Delivery {
  /** Name of the event, such as `issue_comment`. */
  readonly event: string;
  /** A GUID at GitHub; one delivery keeps it when it is delivered again. */
  readonly delivery: string;
  readonly payload: unknown;
  readonly secret: string;
}

/** A delivery as GitHub sends it: headers and body, signed. For the demo, tests, and trying a webhook by hand. */
export async function signDelivery(
  delivery: Delivery,
): Promise<{ readonly headers: { readonly [name: string]: string }; readonly body: string }> {
  const body = JSON.stringify(delivery.payload);
  return {
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/signalbox',
      'x-github-event': delivery.event,
      'x-github-delivery': delivery.delivery,
      'x-hub-signature-256': await sign(delivery.secret, body),
    },
    body,
  };
}
