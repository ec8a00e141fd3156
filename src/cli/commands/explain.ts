import type { Explanation } from '../../protocol/tasks.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import { hangsOf, hangsText } from '../hangs-of.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { shortIds } from '../output/short-id.ts';
import {
  ageText,
  permissionRequestsText,
  facts,
  ownerText,
  parkedText,
  statePaint,
  throttleText,
} from '../output/text.ts';
import { wrapped } from '../output/width.ts';
import { taskArgument } from '../flags.ts';
import { taskIdOf } from '../task-id.ts';
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

function waitText({ what, since, deadline, at }: Explanation['waitsFor'][number], now: number): string {
  const end =
    deadline === null ? 'no deadline' : `${deadline} deadline${at === null ? '' : ` in ${ageText(at - now)}`}`;
  return `${harmless(what)}, for ${ageText(now - since)}; ${end}`;
}

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const task = await taskIdOf(client, call.arg('TASK'));
  const explained = await client.explain(task);
  if (io.json) {
    io.document(explained);
    return 0;
  }
  const hangs = await hangsOf(client, await client.task(explained.task));
  const { paint } = io;
  const now = Date.now();
  const { owner } = explained;
  const shown = explained.ahead.slice(0, 10);
  const id = shortIds([explained.task, ...shown, ...(owner === null ? [] : [owner.task])], io);
  const waits = explained.waitsFor.map((wait) => waitText(wait, now));
  const asked = explained.permissionRequests.filter((request) => request.task === explained.task);
  const others = explained.permissionRequests.filter((request) => request.task !== explained.task);
  const requests = permissionRequestsText(asked);
  const ownerAsks = permissionRequestsText(others);
  const throttle = throttleText(explained.throttle, now);
  const trouble = hangsText(hangs);
  const more = explained.aheadCount - shown.length;
  io.print(paint.strong(wrapped(harmless(explained.summary), io.terminal ? io.columns : Infinity).join('\n')));
  io.print(
    facts(
      [
        ['task', id(explained.task)],
        ['state', statePaint(explained.state, paint)(explained.state)],
        ['status', explained.status],
        ['last words', explained.lastWords === null ? null : harmless(explained.lastWords)],
        ['session', harmless(explained.session)],
        ['owner', owner === null ? 'none' : ownerText(owner, paint, now, id)],
        ['agent', harmless(explained.agent)],
        [
          'ahead',
          explained.aheadCount === 0 ? null : `${shown.map(id).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
        ],
        ['waits for', waits.length === 0 ? null : waits.join('\n')],
        ['throttle', throttle === null ? null : paint.warn(harmless(throttle))],
        ['permission requests', requests === null ? null : paint.warn(harmless(requests))],
        ['its owner asks', ownerAsks === null ? null : paint.warn(harmless(ownerAsks))],
        ['hang report', trouble === null ? null : paint.warn(harmless(trouble))],
        ['parked', parkedText(explained.parked, paint)],
      ],
      io,
    ),
  );
  return 0;
}
