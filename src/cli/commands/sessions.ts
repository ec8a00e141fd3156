import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless, oneLine } from '../output/paint.ts';
import { ageText, table } from '../output/text.ts';
import { cursorFlag, limitFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'sessions',
  group: 'Watch',
  what: 'list sessions',
  next: 'Next: signalbox session SESSION shows who owns it and who waits',
  args: [],
  flags: [limitFlag, cursorFlag],
  examples: [{ line: 'signalbox sessions', what: '' }],
  run,
};

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
  const rows = page.items.map((session) => ({
    cells: [
      oneLine(session.key, 60),
      session.parked === null ? (session.owner === null ? 'free' : 'owned') : 'parked',
      String(session.open),
      String(session.queued),
      String(session.turns),
      ageText(Date.now() - session.changedAt),
      session.owner?.task ?? '',
    ],
    paints: [io.paint.strong, session.parked === null ? (text: string) => text : io.paint.warn],
  }));
  io.print(
    rows.length === 0
      ? 'no sessions'
      : table(['SESSION', 'STATE', 'OPEN', 'QUEUED', 'TURNS', 'CHANGED', 'OWNER'], rows, io),
  );
  if (page.cursor !== null) {
    io.say(`more: add --cursor ${harmless(page.cursor)}`);
  }
  return 0;
}
