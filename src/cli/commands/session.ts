import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import {
  ageText,
  permissionRequestsText,
  facts,
  ownerText,
  parkedText,
  throttleText,
  timeText,
} from '../output/text.ts';
import { sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'session',
  group: 'Watch',
  what: 'show one session: who owns it, and who waits',
  next: 'Next: signalbox explain TASK says what a task waits for',
  args: [sessionArgument],
  flags: [],
  examples: [{ line: 'signalbox session hello', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const session = await client.session(call.arg('SESSION'));
  if (io.json) {
    io.document(session);
    return 0;
  }
  const { paint } = io;
  const throttle = throttleText(session.throttle, Date.now());
  const requests = permissionRequestsText(session.permissionRequests);
  const queue = session.queue.map((task, index) => `${index + 1}. ${task}`);
  io.print(
    facts(
      [
        ['session', paint.strong(harmless(session.key))],
        ['owner', session.owner === null ? 'none' : ownerText(session.owner, paint, Date.now())],
        ['agent', harmless(session.agent)],
        ['model', session.model === null ? null : harmless(session.model)],
        ['throttle', throttle === null ? null : paint.warn(harmless(throttle))],
        ['permission requests', requests === null ? null : paint.warn(harmless(requests))],
        ['parked', parkedText(session.parked, paint)],
        ['open', `${session.open}, ${session.queued} of them queued`],
        ['turns', `${session.turns}, epoch ${session.epoch}, agents started: ${session.incarnations}`],
        ['conversation', session.conversation === null ? null : harmless(session.conversation)],
        ['changed', `${timeText(session.changedAt)}, ${ageText(Date.now() - session.changedAt)} ago`],
      ],
      paint,
    ),
  );
  if (queue.length > 0) {
    io.print(`\n${paint.faint('queue, in the order in which it will be served')}\n  ${queue.join('\n  ')}`);
  }
  return 0;
}
