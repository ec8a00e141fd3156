import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { done } from '../operator.ts';

export const command: Command = {
  name: 'token revoke',
  group: 'Look after it',
  what: 'refuse a named token from now on, and end what is open under it',
  next: 'Its tasks stay; signalbox stop or cancel ends them',
  args: [{ name: 'NAME' }],
  flags: [],
  examples: [{ line: 'signalbox token revoke ci', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const name = call.arg('NAME');
  const client = await connect(call, io);
  return done(io, await client.revokeToken(name), `${name} is revoked`);
}
