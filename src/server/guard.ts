/** By which names the server is called: what the Host header may carry. */
import { isIP } from 'node:net';

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
