import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import { requestsOf } from '../permission-response.ts';
import type { Io } from '../io.ts';
import { shortIds } from '../output/short-id.ts';
import { type Column, table } from '../output/table.ts';
import { ageText } from '../output/text.ts';
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

const columns: readonly Column[] = [
  { title: 'SESSION', min: 14, cut: 'middle' },
  { title: 'TASK', optional: true },
  { title: 'REQUEST', min: 10 },
  { title: 'SINCE' },
  { title: 'DENIED IN' },
  { title: 'WHAT', min: 24 },
  { title: 'KIND', optional: true },
];

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const { items } = await client.permissionRequests();
  const shown = await requestsOf(client, items, call.argOr('TARGET', null));
  if (io.json) {
    io.document({ items: shown });
    return 0;
  }
  const now = Date.now();
  const id = shortIds(
    shown.map(({ task }) => task),
    io,
  );
  const rows = shown.map(({ session, task, request, kind, tool, title, since, until }) => ({
    cells: [
      session,
      id(task),
      request,
      ageText(now - since),
      until === null ? '' : ageText(until - now),
      `${tool}: ${title}`,
      kind,
    ],
    paints: [io.paint.strong],
  }));
  io.print(rows.length === 0 ? 'no permission request is pending' : table(columns, rows, io));
  if (rows.length > 0) {
    io.say('signalbox approve SESSION REQUEST, or signalbox deny SESSION REQUEST --reason TEXT');
  }
  return 0;
}
