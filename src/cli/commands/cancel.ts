import type { Call } from '../call.ts';
import { whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, taskArgument } from '../flags.ts';
import { harmless } from '../output/paint.ts';
import type { CancelReceipt } from '../../protocol/tasks.ts';
import type { Command } from '../command.ts';
import { taskIdOf } from '../task-id.ts';

export const command: Command = {
  name: 'cancel',
  group: 'Change what is queued or runs',
  what: 'cancel a task, queued or running',
  next: 'Next: signalbox tail TASK sees it end, if the receipt says that a turn still runs',
  args: [taskArgument],
  flags: [{ name: 'reason', value: 'TEXT', what: 'for the tape; default cancelled' }, byFlag],
  examples: [{ line: 'signalbox cancel 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 --reason "not needed"', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const reason = call.text('reason');
  const body = { ...(reason === null ? {} : { reason }), ...whoAsks(call, io) };
  const client = await connect(call, io);
  const id = await taskIdOf(client, call.arg('TASK'));
  const receipt = await client.cancel(id, body);
  if (io.json) {
    io.document(receipt);
    return 0;
  }
  switch (receipt.state) {
    case 'requested':
      io.print(`requested: turn ${receipt.turn ?? ''} of ${receipt.task} is being interrupted${standing(receipt)}`);
      break;
    case 'acknowledged':
      io.print(`${io.paint.good('cancelled')} ${receipt.task}`);
      break;
    case 'already-terminal':
      io.print(`${receipt.task} had ended before: ${receipt.status} (${harmless(receipt.reason)}); nothing changed`);
      break;
  }
  return 0;
}

/** A cancel does not change the verdict that a task already has, such as that of the hold limit. */
const standing = ({ verdict, reason }: CancelReceipt): string =>
  verdict === 'cancelled' ? '' : `; its verdict stands: ${verdict} (${harmless(reason)})`;
