import { outboxStates } from '../../protocol/replies.ts';
import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { cursorFlag, limitFlag, quietFlag } from '../flags.ts';
import type { Io } from '../io.ts';
import { harmless, type Paint } from '../output/paint.ts';
import { type Column, table } from '../output/table.ts';
import { ageText } from '../output/text.ts';
import type { Reply } from '../../protocol/replies.ts';

export const command: Command = {
  name: 'replies',
  group: 'Look after it',
  what: 'list the messages that go out, newest first',
  next: 'Next: signalbox replies resend REPLY, or drop, for one that is unclear, failed or expired',
  args: [],
  flags: [
    { name: 'session', short: 's', value: 'SESSION', what: 'of this session' },
    {
      name: 'state',
      value: 'STATE',
      kind: 'choice',
      choices: outboxStates,
      many: true,
      what: `${outboxStates.join(', ')}; repeatable`,
    },
    limitFlag,
    cursorFlag,
    quietFlag,
  ],
  examples: [{ line: 'signalbox replies --state failed --state unclear', what: 'what a person decides on' }],
  run,
};

const columns: readonly Column[] = [
  { title: 'REPLY' },
  { title: 'STATE' },
  { title: 'AGE' },
  { title: 'TO', min: 12 },
  { title: 'TELLS', optional: true },
  { title: 'SESSION', min: 14, cut: 'middle' },
  { title: 'PROBLEM', min: 24 },
];

const paintOf = (state: Reply['state'], paint: Paint): ((text: string) => string) =>
  state === 'posted' ? paint.good : state === 'due' || state === 'sending' ? (text) => text : paint.warn;

async function run(call: Call, io: Io): Promise<number> {
  const states = outboxStates.filter((state) => call.all('state').includes(state));
  const session = call.text('session');
  const cursor = call.text('cursor');
  const client = await connect(call, io);
  const page = await client.replies({
    limit: call.integer('limit') ?? 50,
    ...(states.length === 0 ? {} : { state: states }),
    ...(session === null ? {} : { session }),
    ...(cursor === null ? {} : { cursor }),
  });
  if (io.json) {
    io.document(page);
    return 0;
  }
  if (call.on('quiet')) {
    page.items.forEach(({ id }) => io.print(id));
    return 0;
  }
  const now = Date.now();
  const rows = page.items.map((one) => ({
    cells: [one.id, one.state, ageText(now - one.at), one.door, one.type, one.session, problemOf(one, now)],
    paints: [io.paint.strong, paintOf(one.state, io.paint)],
  }));
  io.print(rows.length === 0 ? 'no messages' : table(columns, rows, io));
  if (page.cursor !== null) {
    io.say(`more: add --cursor ${harmless(page.cursor)}`);
  }
  return 0;
}

function problemOf({ problem, nextAt, attempts }: Reply, now: number): string {
  const wait = nextAt === null || nextAt <= now || attempts === 0 ? null : `again in ${ageText(nextAt - now)}`;
  return [problem, wait].filter((part) => part !== null && part !== '').join('; ');
}
