import { AppError } from '../../core/errors.ts';
import { stopScopes } from '../../core/model/inputs.ts';
import type { Call } from '../call.ts';
import { whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'stop',
  group: 'Change what is queued or runs',
  what: 'stop what runs in a session, what waits there, or both',
  next: 'Say which: --scope turn (what runs), queue (what waits) or session (both)',
  args: [sessionArgument],
  flags: [
    {
      name: 'scope',
      value: 'SCOPE',
      kind: 'choice',
      choices: stopScopes,
      what: 'turn (what runs), queue (what waits) or session (both); required',
    },
    byFlag,
  ],
  examples: [{ line: 'signalbox stop hello --scope turn', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const scope = call.choice('scope', stopScopes);
  if (scope === null) {
    throw new AppError({
      code: 'usage',
      message: '--scope is missing',
      hint: 'Say turn (what runs), queue (what waits) or session (both).',
    });
  }
  const key = call.arg('SESSION');
  const client = await connect(call, io);
  const receipt = await client.stop(key, { scope, ...whoAsks(call, io) });
  if (io.json) {
    io.document(receipt);
    return 0;
  }
  if (receipt.receipts.length === 0) {
    io.print(`nothing to stop in ${harmless(receipt.session)}`);
  }
  for (const { task, state, turn } of receipt.receipts) {
    io.print(
      state === 'acknowledged'
        ? `${io.paint.good('stopped')} ${task}`
        : `requested: turn ${turn ?? ''} of ${task} is being interrupted`,
    );
  }
  return 0;
}
