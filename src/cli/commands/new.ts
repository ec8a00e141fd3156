/** `signalbox new`: the next prompt of a session begins a fresh conversation. */
import type { ConversationReceipt } from '../../protocol/conversations.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { byFlag, sessionArgument } from '../flags.ts';
import { done, whoAsks } from '../operator.ts';

const texts: { readonly [S in ConversationReceipt['state']]: (receipt: ConversationReceipt) => string } = {
  ended: ({ session }) => `the next prompt of ${session} begins a fresh conversation`,
  requested: ({ session, turn }) =>
    turn === null
      ? `the conversation of ${session} ends as soon as its agent is ready`
      : `the conversation of ${session} ends with turn ${turn}, which runs; stop it with: signalbox stop ${session} --scope turn`,
  unused: ({ session }) => `the conversation of ${session} is fresh: nothing was said in it yet`,
};

export const command: Command = {
  name: 'new',
  group: 'Change what is queued or runs',
  what: 'begin a fresh conversation with the next prompt of a session',
  next: 'Next: signalbox send SESSION "…" begins it',
  args: [sessionArgument],
  flags: [byFlag],
  examples: [{ line: 'signalbox new hello', what: '' }],
  async run(call, io) {
    const client = await connect(call, io);
    const receipt = await client.newConversation(call.arg('SESSION'), whoAsks(call, io).by);
    return done(io, receipt, texts[receipt.state](receipt));
  },
};
