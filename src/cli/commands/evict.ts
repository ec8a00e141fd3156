import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'evict',
  group: 'Change what is queued or runs',
  what: 'take a session from its owner, without its cooperation',
  next: 'For an owner that does not react to stop. Next: signalbox session SESSION',
  args: [sessionArgument],
  flags: [
    { name: 'epoch', value: 'N', kind: 'integer', what: 'only if this hold is the one; default: whichever there is' },
    byFlag,
  ],
  examples: [{ line: 'signalbox evict hello --epoch 7', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const epoch = call.integer('epoch');
  const key = call.arg('SESSION');
  const body = { ...(epoch === null ? {} : { epoch }), ...whoAsks(call, io) };
  const client = await connect(call, io);
  const answer = await client.evict(key, body);
  return done(io, answer, `the owner of ${key} is evicted`);
}
