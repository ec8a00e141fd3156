import { apiOf } from '../api.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../command.ts';
import type { Io } from '../io.ts';
import { findTarget } from '../target.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const answer = await apiOf(findTarget(call, io)).call('restartAgent', { params: { key }, body: whoAsks(call, io) });
  return done(io, answer, `the agent of ${key} is being restarted`);
}
