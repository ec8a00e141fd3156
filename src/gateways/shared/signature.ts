/**
 * HMAC-SHA-256 of a body as it arrives, by each of several keys. Nothing of the body is kept.
 *
 * Both libraries that sign here (`@octokit/webhooks-methods`, `standardwebhooks`) take a whole text only, so that a sender
 * without the secret could fill the memory; tests compare with them.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export class BodySignature {
  readonly #hmacs: readonly ReturnType<typeof createHmac>[];

  /** `prefix` is signed before the body. */
  constructor(keys: readonly (string | Uint8Array)[], prefix = '') {
    this.#hmacs = keys.map((key) => createHmac('sha256', key).update(prefix));
  }

  update(bytes: Uint8Array): void {
    for (const hmac of this.#hmacs) {
      hmac.update(bytes);
    }
  }

  /** Called once, at the end: whether one of these texts is a signature by one of the keys. It takes the same time wherever two differ. */
  isOneOf(signatures: readonly string[], encoding: 'hex' | 'base64'): boolean {
    return this.#hmacs.some((hmac) => {
      const right = Buffer.from(hmac.digest(encoding));
      return signatures.some((text) => {
        const given = Buffer.from(text);
        return given.length === right.length && timingSafeEqual(given, right);
      });
    });
  }
}
