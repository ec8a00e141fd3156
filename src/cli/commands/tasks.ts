import { lanes, taskStatuses } from '../../core/model/task.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless, oneLine } from '../output/paint.ts';
import { ageText, statusPaint, table } from '../output/text.ts';
import { cursorFlag, laneFlag, limitFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'tasks',
  group: 'Watch',
  what: 'list tasks, newest first',
  next: 'Next: signalbox task TASK, with an id from the list',
  args: [],
  flags: [
    { name: 'session', short: 's', value: 'SESSION', what: 'of this session' },
    {
      name: 'status',
      value: 'STATUS',
      kind: 'choice',
      choices: taskStatuses,
      many: true,
      what: `${taskStatuses.join(', ')}; repeatable`,
    },
    laneFlag,
    { name: 'source', value: 'NAME', what: 'of this source' },
    limitFlag,
    cursorFlag,
  ],
  examples: [
    { line: 'signalbox tasks --status queued --status running', what: 'what is open' },
    { line: 'signalbox tasks --session hello --json', what: '' },
  ],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const wanted = taskStatuses.filter((status) => call.all('status').includes(status));
  const client = await connect(call, io);
  const page = await client.tasks({
    limit: call.integer('limit') ?? 50,
    ...optional('session', call.text('session')),
    ...(wanted.length === 0 ? {} : { status: wanted }),
    ...optional('lane', call.choice('lane', lanes)),
    ...optional('source', call.text('source')),
    ...optional('cursor', call.text('cursor')),
  });
  if (io.json) {
    io.document(page);
    return 0;
  }
  const rows = page.items.map((task) => ({
    cells: [
      task.id,
      task.status,
      task.lane,
      ageText(Date.now() - task.admittedAt),
      oneLine(task.session, 30),
      oneLine(task.title, 200),
    ],
    paints: [io.paint.strong, (text: string) => statusPaint(task.status, io.paint, text), io.paint[task.lane]],
  }));
  io.print(rows.length === 0 ? 'no tasks' : table(['TASK', 'STATUS', 'LANE', 'AGE', 'SESSION', 'PROMPT'], rows, io));
  if (page.cursor !== null) {
    io.say(`more: add --cursor ${harmless(page.cursor)}`);
  }
  return 0;
}

function optional<N extends string, T>(name: N, value: T | null): { readonly [K in N]?: T } {
  return (value === null ? {} : { [name]: value }) as { readonly [K in N]?: T };
}
