import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { done } from '../operator.ts';

export const command: Command = {
  name: 'replies drop',
  group: 'Look after it',
  what: 'give a message up that is due, unclear, failed or expired',
  next: 'It is not sent any more, unless you resend it',
  args: [{ name: 'REPLY' }],
  flags: [],
  examples: [{ line: 'signalbox replies drop msg_2hYk1vQ', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const id = call.arg('REPLY');
  const client = await connect(call, io);
  return done(io, await client.dropReply(id), `${id} is given up`);
}
