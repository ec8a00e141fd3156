import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'park',
  group: 'Change what is queued or runs',
  what: 'stop granting a session; its queue stays',
  next: 'Next: signalbox unpark SESSION resumes it',
  args: [sessionArgument, { name: 'REASON', rest: true }],
  flags: [byFlag],
  examples: [{ line: 'signalbox park hello "the repository moves"', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const client = await connect(call, io);
  const answer = await client.park(key, call.arg('REASON'), whoAsks(call, io).by);
  return done(io, answer, `${key} is parked; signalbox unpark resumes it`);
}
