/** What a person types first, where the agent of a daemon on this machine has no login. */
import { daemonFile, type Target } from './target.ts';
import type { Io } from './io.ts';

/** Null: a login was seen, by the daemon or here, or it cannot be known. Only files and variables are looked at. */
export async function loginLack({ data }: Target, { env }: Pick<Io, 'env'>): Promise<string | null> {
  const agent = data === null ? undefined : daemonFile(data.folder)?.agent;
  if (agent?.login !== 'none') {
    return null;
  }
  const [{ agentNamed }, { loginSign }] = await Promise.all([
    import('../agents/registry.ts'),
    import('../daemon/find-program.ts'),
  ]);
  const described = agentNamed(agent.name);
  const login = described?.kind === 'program' ? described.program?.login : undefined;
  // It may have come since the daemon was started.
  return login === undefined || loginSign(login, env) !== null
    ? null
    : `${described?.name ?? agent.name} is not logged in, as far as can be seen. ${login.fix}`;
}
