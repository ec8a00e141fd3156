/** What this daemon must not let anybody read: its own secrets, and what looks secret in what it was given. */
import { secretsIn } from '../supervise/index.ts';
import type { DaemonConfig } from './config/resolve.ts';

const listed = (secret: string | readonly string[] | undefined): readonly string[] =>
  secret === undefined ? [] : typeof secret === 'string' ? [secret] : secret;

/** `env`: the daemon's own environment, of which agents see a part at most. */
export function secretsOf(
  { github, hooks, agent }: Pick<DaemonConfig, 'github' | 'hooks' | 'agent'>,
  token: string,
  env: Readonly<{ [name: string]: string | undefined }>,
): readonly string[] {
  return [
    token,
    ...listed(github?.secret),
    // Standard Webhooks takes its secrets with their prefix or without.
    ...Object.values(hooks).flatMap(({ secret }) =>
      listed(secret).flatMap((text) => [text, text.replace(/^whsec_/, '')]),
    ),
    ...secretsIn(env),
    // Meant for the agent, and not for its tape.
    ...secretsIn(agent.env ?? {}),
  ];
}
