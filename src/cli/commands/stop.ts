import { AppError } from '../../core/errors.ts';
import { STOP_SCOPES } from '../../core/inputs.ts';
import type { Call } from '../call.ts';
import { whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const scope = call.choice('scope', STOP_SCOPES);
  if (scope === null) {
    throw new AppError({
      code: 'usage',
      message: '--scope is missing',
      hint: 'Say turn (what runs), queue (what waits) or session (both).',
    });
  }
  const key = call.arg('SESSION');
  const receipt = await connect(call, io).stop(key, { scope, ...whoAsks(call, io) });
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
