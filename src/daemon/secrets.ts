/** What this daemon must not let anybody read: its own secrets, and what looks secret in what it was given. */
import { doorSecrets } from '../gateways/doors.ts';
import { sourceSecrets } from '../gateways/registry.ts';
import { secretsIn } from '../supervise/index.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { passwordsIn, passwordsOf } from './config/store.ts';

/** `env`: the daemon's own environment, of which agents see a part at most. */
export function secretsOf(
  { sources, doors, store, node, agents }: Pick<DaemonConfig, 'sources' | 'doors' | 'store' | 'node' | 'agents'>,
  token: string,
  env: Readonly<{ [name: string]: string | undefined }>,
): readonly string[] {
  return [
    token,
    ...sourceSecrets(sources),
    ...doorSecrets(doors),
    ...passwordsOf(store),
    ...(node.listenUrl === undefined ? [] : passwordsIn(node.listenUrl)),
    ...secretsIn(env),
    // Meant for the agents, and not for their tapes.
    ...Object.values(agents).flatMap(({ env: own }) => secretsIn(own ?? {})),
  ];
}
