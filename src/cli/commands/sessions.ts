import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { shortIds } from '../output/short-id.ts';
import { type Column, table } from '../output/table.ts';
import { ageText, statePaint } from '../output/text.ts';
import { cursorFlag, limitFlag, quietFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'sessions',
  group: 'Watch',
  what: 'list sessions',
  next: 'Next: signalbox session SESSION shows who owns it and who waits; signalbox status shows all at once',
  args: [],
  flags: [limitFlag, cursorFlag, quietFlag],
  examples: [{ line: 'signalbox sessions', what: '' }],
  run,
};

const columns: readonly Column[] = [
  { title: 'SESSION', min: 16, cut: 'middle' },
  { title: 'STATE' },
  { title: 'OPEN' },
  { title: 'QUEUED' },
  { title: 'OWNER' },
  { title: 'FOR' },
  { title: 'LAST WORDS', min: 12 },
  { title: 'CHANGED', optional: true },
  { title: 'TURNS', optional: true },
];

async function run(call: Call, io: Io): Promise<number> {
  const cursor = call.text('cursor');
  const client = await connect(call, io);
  const page = await client.sessions({
    limit: call.integer('limit') ?? 50,
    ...(cursor === null ? {} : { cursor }),
  });
  if (io.json) {
    io.document(page);
    return 0;
  }
  if (call.on('quiet')) {
    page.items.forEach(({ key }) => io.print(harmless(key)));
    return 0;
  }
  const now = Date.now();
  const id = shortIds(
    page.items.flatMap(({ owner }) => (owner === null ? [] : [owner.task])),
    io,
  );
  const rows = page.items.map((session) => ({
    cells: [
      session.key,
      session.state,
      String(session.open),
      String(session.queued),
      session.owner === null ? '' : id(session.owner.task),
      session.ownedSince === null ? '' : ageText(now - session.ownedSince),
      session.lastWords ?? '',
      ageText(now - session.changedAt),
      String(session.turns),
    ],
    paints: [io.paint.strong, statePaint(session.state, io.paint)],
  }));
  io.print(rows.length === 0 ? 'no sessions' : table(columns, rows, io));
  if (page.cursor !== null) {
    io.say(`more: add --cursor ${harmless(page.cursor)}`);
  }
  return 0;
}
