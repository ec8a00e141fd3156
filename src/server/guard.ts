/** Who may speak to the server: bearer tokens, and the names that the Host header may carry. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares digests, so that neither content nor length of a token shows in the time; every token is always looked at. */
export function tokenChecker(tokens: readonly string[]): (authorization: string | undefined) => boolean {
  const known = tokens.map(digest);
  return (authorization) => {
    if (known.length === 0) {
      return true;
    }
    const given = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) {
      return false;
    }
    const own = digest(given);
    let fits = false;
    for (const one of known) {
      fits = timingSafeEqual(one, own) || fits;
    }
    return fits;
  };
}

/** Names are not resolved: only `localhost` and literal addresses are known to stay on this machine. */
export function isLoopback(host: string): boolean {
  const bare = unbracket(host).toLowerCase();
  if (bare === 'localhost') {
    return true;
  }
  if (isIP(bare) === 4) {
    return bare.startsWith('127.');
  }
  return bare === '::1' || bare.startsWith('::ffff:127.');
}

/**
 * A page in a browser can make its own host name resolve to 127.0.0.1, and then read from the server as its own origin. The
 * Host header has that name, and the page cannot change it. On other addresses any name is accepted: the token decides.
 */
export function hostChecker(listenHost: string, names: readonly string[]): (hostHeader: string | undefined) => boolean {
  if (!isLoopback(listenHost)) {
    return () => true;
  }
  const known = new Set([
    'localhost',
    unbracket(listenHost).toLowerCase(),
    ...names.map((name) => unbracket(name).toLowerCase()),
  ]);
  return (header) => {
    if (header === undefined) {
      return false;
    }
    const name = hostName(header);
    return name !== null && (known.has(name) || (isIP(name) !== 0 && isLoopback(name)));
  };
}

/** The name in a Host header, lower case, without port and brackets; null: malformed. */
function hostName(header: string): string | null {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/?#@]+))(?::\d{1,5})?$/i.exec(header.trim());
  const name = parts?.[1] ?? parts?.[2];
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '');
}

function unbracket(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
