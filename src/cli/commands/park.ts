import { apiOf } from '../api.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../command.ts';
import type { Io } from '../io.ts';
import { findTarget } from '../target.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const body = { reason: call.arg('REASON'), ...whoAsks(call, io) };
  const answer = await apiOf(findTarget(call, io)).call('parkSession', { params: { key }, body });
  return done(io, answer, `${key} is parked; signalbox unpark lets it go on`);
}
