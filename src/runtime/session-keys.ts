import { AppError } from '../core/errors.ts';
import { type SessionKey, sessionKey } from '../core/model/ids.ts';

/** Longest session key, in characters. */
const maxKey = 200;

/** From a routing key to the key a session is serialised by. Throws `bad_session_key`. */
export type KeyResolver = (key: string) => SessionKey;

export function keyResolver(alias: (key: string) => string): KeyResolver {
  return (key) => {
    const resolved = alias(key);
    if (resolved.length === 0 || resolved.length > maxKey) {
      throw new AppError({
        code: 'bad_session_key',
        message: `a session key has 1 to ${maxKey} characters, not ${resolved.length}`,
      });
    }
    return sessionKey(resolved);
  };
}
