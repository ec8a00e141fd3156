import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { ageText, permissionRequestsText, facts, ownerText, parkedText } from '../output/text.ts';
import { taskArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'explain',
  group: 'Watch',
  what: 'why a task does not run now, and what ends the wait',
  next: 'Next: signalbox move TASK --first, or signalbox cancel of a task ahead',
  args: [taskArgument],
  flags: [],
  examples: [{ line: 'signalbox explain 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const explained = await client.explain(call.arg('TASK'));
  if (io.json) {
    io.document(explained);
    return 0;
  }
  const { paint } = io;
  const now = Date.now();
  const waits = explained.waitsFor.map(({ what, since, deadline, at }) => {
    const end =
      deadline === null ? 'no deadline' : `${deadline} deadline${at === null ? '' : ` in ${ageText(at - now)}`}`;
    return `${harmless(what)}, for ${ageText(now - since)}; ${end}`;
  });
  const requests = permissionRequestsText(explained.permissionRequests);
  const shown = explained.ahead.slice(0, 10);
  const more = explained.aheadCount - shown.length;
  io.print(paint.strong(harmless(explained.summary)));
  io.print(
    facts(
      [
        ['task', explained.task],
        ['status', explained.status],
        ['session', harmless(explained.session)],
        ['owner', explained.owner === null ? 'none' : ownerText(explained.owner, paint, now)],
        ['agent', harmless(explained.agent)],
        ['ahead', explained.aheadCount === 0 ? null : `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`],
        ['waits for', waits.length === 0 ? null : waits.join('\n')],
        ['permission requests', requests === null ? null : paint.warn(harmless(requests))],
        ['parked', parkedText(explained.parked, paint)],
      ],
      paint,
    ),
  );
  return 0;
}
