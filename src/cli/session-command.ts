/** Commands that an operator gives for one session, and that need nothing but its key. */
import type { Client } from '../client/index.ts';
import type { Command } from './command.ts';
import { connect } from './connect.ts';
import { byFlag, sessionArgument } from './flags.ts';
import { done, whoAsks } from './operator.ts';

interface Parts {
  readonly name: string;
  readonly what: string;
  readonly next: string;
  readonly act: (client: Client, key: string, by: string | undefined) => Promise<unknown>;
  /** What is printed when it is done. */
  readonly text: (key: string) => string;
}

export function sessionCommand({ name, what, next, act, text }: Parts): Command {
  return {
    name,
    group: 'Change what is queued or runs',
    what,
    next,
    args: [sessionArgument],
    flags: [byFlag],
    examples: [{ line: `signalbox ${name} hello`, what: '' }],
    async run(call, io) {
      const key = call.arg('SESSION');
      const client = await connect(call, io);
      return done(io, await act(client, key, whoAsks(call, io).by), text(key));
    },
  };
}
