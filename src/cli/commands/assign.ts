/** `signalbox assign`: another agent or model for a session, as soon as no turn of it runs. */
import type { AssignmentReceipt } from '../../protocol/conversations.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import { done, whoAsks } from '../operator.ts';

const lost = (receipt: AssignmentReceipt): string =>
  receipt.conversationLost ? `; it does not know what was said before` : '';

const texts: { readonly [S in AssignmentReceipt['state']]: (receipt: AssignmentReceipt) => string } = {
  applied: (receipt) => `the next prompt of ${receipt.session} goes to ${receipt.agent}${lost(receipt)}`,
  requested: (receipt) =>
    receipt.turn === null
      ? `${receipt.session} gets ${receipt.agent} as soon as its agent is ready${lost(receipt)}`
      : `${receipt.session} gets ${receipt.agent} with the end of turn ${receipt.turn}, which runs${lost(receipt)}`,
  unchanged: ({ session, agent }) => `${session} has ${agent} already`,
};

export const command: Command = {
  name: 'assign',
  group: 'Change what is queued or runs',
  what: 'give a session another agent or model; signalbox providers lists the agents',
  next: 'Next: signalbox send SESSION "…" goes to that agent',
  args: [sessionArgument, { name: 'AGENT' }],
  flags: [{ name: 'model', value: 'NAME', what: "model of tasks that name none; default the agent's own" }, byFlag],
  examples: [{ line: 'signalbox assign hello scripted', what: '' }],
  async run(call, io) {
    const client = await connect(call, io);
    const { by } = whoAsks(call, io);
    const model = call.text('model');
    const receipt = await client.assignAgent(call.arg('SESSION'), {
      agent: call.arg('AGENT'),
      ...(model === null ? {} : { model }),
      ...(by === undefined ? {} : { by }),
    });
    return done(io, receipt, texts[receipt.state](receipt));
  },
};
