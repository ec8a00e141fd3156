/** The secrets of Standard Webhooks: `whsec_` and base64, or the base64 alone. */
import { Webhook } from 'standardwebhooks';
import { AppError } from '../../core/errors.ts';

/** The key of the signatures. Throws `bad_config`. `where`: the section that has it. */
export function readStandardSecret(secret: string, where: string): Uint8Array {
  try {
    // It refuses what is not base64, or empty.
    new Webhook(secret);
    return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  } catch (cause) {
    throw new AppError({
      code: 'bad_config',
      message: `${where}.secret is not a Standard Webhooks secret`,
      hint: 'It is `whsec_` and base64, or the base64 alone; the sender shows it.',
      cause,
    });
  }
}
