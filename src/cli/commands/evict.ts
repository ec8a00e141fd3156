import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const epoch = call.integer('epoch');
  const key = call.arg('SESSION');
  const body = { ...(epoch === null ? {} : { epoch }), ...whoAsks(call, io) };
  const answer = await connect(call, io).evict(key, body);
  return done(io, answer, `the owner of ${key} is evicted`);
}
