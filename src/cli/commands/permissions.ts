import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../output/paint.ts';
import { ageText, table } from '../output/text.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'permissions',
  group: 'Answer agents',
  what: 'list the permission requests that wait for a person',
  next: 'Next: signalbox approve SESSION REQUEST, or signalbox deny SESSION REQUEST',
  args: [{ name: 'TARGET', optional: true }],
  flags: [],
  examples: [
    { line: 'signalbox permissions', what: 'of all sessions' },
    { line: 'signalbox permissions hello --json', what: 'of one session, with every detail' },
  ],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const target = call.argOr('TARGET', null);
  const client = await connect(call, io);
  const { items } = await client.permissionRequests();
  const shown = items.filter(({ session, task }) => target === null || session === target || task === target);
  if (io.json) {
    io.document({ items: shown });
    return 0;
  }
  const now = Date.now();
  const rows = shown.map(({ session, task, request, kind, tool, title, since, until }) => ({
    cells: [
      oneLine(session, 40),
      task,
      oneLine(request, 40),
      ageText(now - since),
      until === null ? '' : ageText(until - now),
      kind,
      `${tool}: ${title}`,
    ],
    paints: [io.paint.strong],
  }));
  io.print(
    rows.length === 0
      ? 'no permission request is pending'
      : table(['SESSION', 'TASK', 'REQUEST', 'SINCE', 'DENIED IN', 'KIND', 'WHAT'], rows, io),
  );
  if (rows.length > 0) {
    io.say('signalbox approve SESSION REQUEST, or signalbox deny SESSION REQUEST --reason TEXT');
  }
  return 0;
}
