import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const answer = await connect(call, io).unpark(key, whoAsks(call, io).by);
  return done(io, answer, `${key} goes on`);
}
