/** What an agent's process finds in its environment: an allow list, never the daemon's own. */

/** One agent's: whoever carries it belongs to that agent, wherever it went. */
export const cookieName = 'SIGNALBOX_COOKIE';

/**
 * One daemon's, the same for all that it starts. The launcher makes it and puts it into the daemon's environment; `spawnAgent`
 * passes it on. Where nobody made one, there is none.
 */
export const daemonIdName = 'SIGNALBOX_DAEMON_ID';

/** What nearly every program needs to find its files, its language and its way to the network; no secrets among them. */
export const commonVariables: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TERM',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
];

export type Environment = Readonly<{ [name: string]: string }>;

/** The variables of `from` that stand on the list; those that are not set are left out. */
export function pickEnvironment(
  names: readonly string[],
  from: Readonly<{ [name: string]: string | undefined }>,
): Environment {
  const picked: { [name: string]: string } = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) {
      picked[name] = value;
    }
  }
  return picked;
}
