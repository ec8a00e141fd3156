import { AppError } from '../../core/errors.ts';
import { scopes } from '../../protocol/tokens.ts';
import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { expiresIn } from '../expires-in.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';

export const command: Command = {
  name: 'token make',
  group: 'Look after it',
  what: 'make a token for another caller, with the rights that it needs; its secret is shown once',
  next: 'Next: give it to its caller as SIGNALBOX_TOKEN or --token; signalbox token revoke NAME ends it',
  args: [{ name: 'NAME' }],
  flags: [
    {
      name: 'scope',
      value: 'SCOPE',
      kind: 'choice',
      choices: scopes,
      many: true,
      what: `what it may do: ${scopes.join(', ')}; give it several times for several`,
    },
    {
      name: 'session',
      value: 'PATTERN',
      many: true,
      what: 'only for sessions whose keys match; * matches any text; several times for several',
    },
    {
      name: 'expires-in',
      value: 'TIME',
      what: 'how long it holds, in milliseconds or with a unit: 24h, 30d; default: until it is revoked',
    },
  ],
  examples: [
    {
      line: 'signalbox token make ci --scope submit --scope read --session "github:acme/*" --expires-in 90d',
      what: '',
    },
  ],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const chosen = scopes.filter((scope) => call.all('scope').includes(scope));
  if (chosen.length === 0) {
    throw new AppError({
      code: 'usage',
      message: 'a token needs at least one --scope',
      hint: `Give what its caller needs: ${scopes.map((scope) => `--scope ${scope}`).join(', ')}.`,
    });
  }
  const sessions = call.all('session');
  const time = expiresIn(call);
  const client = await connect(call, io);
  const made = await client.makeToken({
    name: call.arg('NAME'),
    scopes: chosen,
    ...(sessions.length === 0 ? {} : { sessions: [...sessions] }),
    ...(time === undefined ? {} : { expiresIn: time }),
  });
  if (io.json) {
    io.document(made);
    return 0;
  }
  io.print(made.token);
  io.say(
    harmless(`${made.name} may ${made.scopes.join(', ')}. This is shown once: the daemon keeps only a digest of it.`),
  );
  return 0;
}
