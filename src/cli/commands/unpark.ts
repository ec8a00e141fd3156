import { apiOf } from '../api.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../command.ts';
import type { Io } from '../io.ts';
import { findTarget } from '../target.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const answer = await apiOf(findTarget(call, io)).call('unparkSession', { params: { key }, body: whoAsks(call, io) });
  return done(io, answer, `${key} goes on`);
}
