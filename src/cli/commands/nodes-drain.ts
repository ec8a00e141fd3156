import type { Call } from '../call.ts';
import { done } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'nodes drain',
  group: 'Look after it',
  what: 'let a node hand its sessions over to the others and take no more',
  next: 'Next: signalbox nodes, until it has no sessions; signalbox nodes resume NODE takes it back',
  args: [{ name: 'NODE' }],
  flags: [],
  examples: [{ line: 'signalbox nodes drain build-2', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('NODE');
  const client = await connect(call, io);
  return done(io, await client.drainNode(name), `${name} hands its sessions over and takes no more`);
}
