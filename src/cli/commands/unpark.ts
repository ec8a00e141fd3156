import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'unpark',
  group: 'Change what is queued or runs',
  what: 'resume a parked or faulted session',
  next: 'Next: signalbox session SESSION',
  args: [sessionArgument],
  flags: [byFlag],
  examples: [{ line: 'signalbox unpark hello', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const client = await connect(call, io);
  const answer = await client.unpark(key, whoAsks(call, io).by);
  return done(io, answer, `${key} is unparked`);
}
