/** The client of the daemon that a command calls. The client's code is loaded here, when a command needs it. */
import type { Client } from '../client/index.ts';
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import type { Target } from './target.ts';

/** Throws `AppError` `unreachable` when no daemon is known there. */
export async function connectTo(call: Call, io: Io): Promise<{ readonly client: Client; readonly target: Target }> {
  const [{ createClient }, { findTarget }] = await Promise.all([import('../client/index.ts'), import('./target.ts')]);
  const target = findTarget(call, io);
  return { client: createClient({ baseUrl: target.url, token: target.token }), target };
}

/** The client alone; throws the same. */
export const connect = async (call: Call, io: Io): Promise<Client> => (await connectTo(call, io)).client;
