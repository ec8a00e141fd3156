import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { done } from '../operator.ts';

export const command: Command = {
  name: 'replies resend',
  group: 'Look after it',
  what: 'send a message again that is unclear, failed, expired or dropped',
  next: 'Its receiver may get an unclear one twice, unless it knows the second copy by its id',
  args: [{ name: 'REPLY' }],
  flags: [],
  examples: [{ line: 'signalbox replies resend msg_2hYk1vQ', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const id = call.arg('REPLY');
  const client = await connect(call, io);
  return done(io, await client.resendReply(id), `${id} waits to be sent again`);
}
