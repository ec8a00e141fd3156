import type { Call } from '../call.ts';
import { whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const reason = call.text('reason');
  const id = call.arg('TASK');
  const body = { ...(reason === null ? {} : { reason }), ...whoAsks(call, io) };
  const receipt = await connect(call, io).cancel(id, body);
  if (io.json) {
    io.document(receipt);
    return 0;
  }
  switch (receipt.state) {
    case 'requested':
      io.print(`requested: turn ${receipt.turn ?? ''} of ${receipt.task} is being interrupted`);
      break;
    case 'acknowledged':
      io.print(`${io.paint.good('cancelled')} ${receipt.task}`);
      break;
    case 'already-terminal':
      io.print(`${receipt.task} had ended before: ${receipt.status} (${receipt.reason ?? ''}); nothing changed`);
      break;
  }
  return 0;
}
