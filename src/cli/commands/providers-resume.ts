import type { Call } from '../call.ts';
import { done } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'providers resume',
  group: 'Look after it',
  what: 'let the sessions of a provider go on at once',
  next: 'If it fails again, they wait again',
  args: [{ name: 'PROVIDER' }],
  flags: [],
  examples: [{ line: 'signalbox providers resume anthropic', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('PROVIDER');
  const client = await connect(call, io);
  return done(io, await client.resumeProvider(name), `the sessions of ${name} go on`);
}
