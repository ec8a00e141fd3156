import { AppError } from '../core/errors.ts';
import { type SessionKey, sessionKey } from '../core/model/ids.ts';
import { isSessionKey } from '../protocol/ids.ts';

/** From a routing key to the key a session is serialised by. Throws `bad_session_key`. */
export type KeyResolver = (key: string) => SessionKey;

export function keyResolver(alias: (key: string) => string): KeyResolver {
  return (key) => {
    const resolved = alias(key);
    if (!isSessionKey(resolved)) {
      throw new AppError({
        code: 'bad_session_key',
        message: `not a session key: ${JSON.stringify(resolved.slice(0, 64))}`,
      });
    }
    return sessionKey(resolved);
  };
}
