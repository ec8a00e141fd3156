import type { Call } from '../call.ts';
import { done } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'nodes resume',
  group: 'Look after it',
  what: 'let a draining node take sessions again',
  next: 'Next: signalbox nodes',
  args: [{ name: 'NODE' }],
  flags: [],
  examples: [{ line: 'signalbox nodes resume build-2', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('NODE');
  const client = await connect(call, io);
  return done(io, await client.resumeNode(name), `${name} takes sessions again`);
}
