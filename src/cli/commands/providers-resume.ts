import type { Call } from '../call.ts';
import { done } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('PROVIDER');
  return done(io, await connect(call, io).resumeProvider(name), `the sessions of ${name} go on`);
}
