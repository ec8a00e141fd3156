import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { type Column, table } from '../output/table.ts';
import { ageText } from '../output/text.ts';

export const command: Command = {
  name: 'token list',
  group: 'Look after it',
  what: 'list the named tokens, what each of them may do, and how long it holds',
  next: 'Next: signalbox token revoke NAME ends one',
  args: [],
  flags: [],
  examples: [{ line: 'signalbox token list', what: '' }],
  run,
};

const columns: readonly Column[] = [
  { title: 'TOKEN', min: 12 },
  { title: 'SCOPES', min: 12 },
  { title: 'SESSIONS', min: 12 },
  { title: 'AGE', optional: true },
  { title: 'HOLDS' },
];

const remaining = (expiresAt: number | null, now: number): string =>
  expiresAt === null ? 'until revoked' : expiresAt <= now ? 'expired' : `${ageText(expiresAt - now)} more`;

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const list = await client.tokens();
  if (io.json) {
    io.document(list);
    return 0;
  }
  const now = Date.now();
  const rows = list.items.map(({ name, scopes, sessions, madeAt, expiresAt }) => ({
    cells: [
      name,
      scopes.join(', '),
      sessions === null ? 'all' : sessions.join(', '),
      ageText(now - madeAt),
      remaining(expiresAt, now),
    ],
    paints: [io.paint.strong],
  }));
  io.print(rows.length === 0 ? 'no named tokens' : table(columns, rows, io));
  return 0;
}
