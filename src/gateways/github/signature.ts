/**
 * `X-Hub-Signature-256`: HMAC-SHA-256 of the body's bytes, hexadecimal, after `sha256=`
 * (docs.github.com, "Validating webhook deliveries").
 */
import { sign } from '@octokit/webhooks-methods';
import { BodySignature } from '../shared/signature.ts';

/** Another form cannot be right, whatever the secret, so nothing is computed for it. Case matters: GitHub sends lower case. */
export const signaturePattern = /^sha256=([0-9a-f]{64})$/;

/** Sees a body as it arrives; `isRight` once, at its end. Any of the secrets may have signed. */
export function signatureCheck(header: string, secrets: readonly string[]) {
  const digits = signaturePattern.exec(header)?.[1] ?? '';
  const signature = new BodySignature(secrets);
  return {
    update: (bytes: Uint8Array): void => signature.update(bytes),
    isRight: (): boolean => signature.isOneOf([digits], 'hex'),
  };
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
