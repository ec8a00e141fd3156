import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'restart',
  group: 'Change what is queued or runs',
  what: 'restart the agent of a session; its conversation is resumed',
  next: 'Next: signalbox tail SESSION sees it come back',
  args: [sessionArgument],
  flags: [byFlag],
  examples: [{ line: 'signalbox restart hello', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const key = call.arg('SESSION');
  const client = await connect(call, io);
  const answer = await client.restartAgent(key, whoAsks(call, io).by);
  return done(io, answer, `the agent of ${key} is being restarted`);
}
