import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless, oneLine } from '../output/paint.ts';
import { ageText, table } from '../output/text.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const cursor = call.text('cursor');
  const page = await connect(call, io).sessions({
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
