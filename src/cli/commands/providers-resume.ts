import type { Call } from '../call.ts';
import { done } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'providers resume',
  group: 'Look after it',
  what: 'lift the throttle of a provider at once',
  next: 'If its requests fail again, it is throttled again',
  args: [{ name: 'PROVIDER' }],
  flags: [],
  examples: [{ line: 'signalbox providers resume anthropic', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('PROVIDER');
  const client = await connect(call, io);
  return done(io, await client.resumeProvider(name), `${name} is no longer throttled`);
}
