import { lanes, taskStatuses } from '../../core/model/task.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { shortIds } from '../output/short-id.ts';
import { type Column, table } from '../output/table.ts';
import { ageText, statePaint } from '../output/text.ts';
import { timeFlag } from '../time-flag.ts';
import { cursorFlag, labelFlag, laneFlag, limitFlag, quietFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'tasks',
  group: 'Watch',
  what: 'list or search tasks, newest first',
  next: 'Next: signalbox task TASK, with an id from the list or its beginning',
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
    { name: 'text', value: 'TEXT', what: 'whose prompt contains this' },
    { ...labelFlag, what: 'that have this label; repeatable' },
    { name: 'since', value: 'TIME', what: 'admitted then or later: a date, or how long ago: 2h, 7d' },
    { name: 'until', value: 'TIME', what: 'admitted before: a date, or how long ago' },
    limitFlag,
    cursorFlag,
    quietFlag,
  ],
  examples: [
    { line: 'signalbox tasks --status queued --status running', what: 'what is open' },
    { line: 'signalbox tasks --text parser --since 7d', what: 'of the last week, with this word in the prompt' },
    { line: 'signalbox tasks --session hello --json', what: '' },
  ],
  run,
};

const columns: readonly Column[] = [
  { title: 'TASK' },
  { title: 'STATE' },
  { title: 'AGE' },
  { title: 'SESSION', min: 14, cut: 'middle' },
  { title: 'PROMPT', min: 24 },
  { title: 'LANE', optional: true },
];

/** A task that failed says why; the others what they are about. */
const aboutText = ({ state, reason, lastWords, title }: TaskSummary): string =>
  state === 'failed' ? `${[reason, lastWords].filter((part) => part !== null).join(': ')} · ${title}` : title;

async function run(call: Call, io: Io): Promise<number> {
  const wanted = taskStatuses.filter((status) => call.all('status').includes(status));
  const filter = {
    ...optional('session', call.text('session')),
    ...(wanted.length === 0 ? {} : { status: wanted }),
    ...optional('lane', call.choice('lane', lanes)),
    ...optional('source', call.text('source')),
    ...optional('text', call.text('text')),
    ...(call.all('label').length === 0 ? {} : { label: [...call.all('label')] }),
    ...optional('since', timeFlag(call, 'since')),
    ...optional('until', timeFlag(call, 'until')),
  };
  const cursor = call.text('cursor');
  const client = await connect(call, io);
  const page = await client.tasks({ limit: call.integer('limit') ?? 50, ...filter, ...optional('cursor', cursor) });
  if (io.json) {
    io.document(page);
    return 0;
  }
  if (call.on('quiet')) {
    page.items.forEach(({ id }) => io.print(id));
    return 0;
  }
  const id = shortIds(
    page.items.map((task) => task.id),
    io,
    { whole: Object.keys(filter).length === 0 && cursor === null },
  );
  const rows = page.items.map((task) => ({
    cells: [id(task.id), task.state, ageText(Date.now() - task.admittedAt), task.session, aboutText(task), task.lane],
    paints: [io.paint.strong, statePaint(task.state, io.paint), same, same, same, io.paint[task.lane]],
  }));
  io.print(rows.length > 0 ? table(columns, rows, io) : page.cursor === null ? 'no tasks' : 'none among the newest');
  if (page.cursor !== null) {
    io.say(`more: add --cursor ${harmless(page.cursor)}`);
  }
  return 0;
}

const same = (text: string): string => text;

function optional<N extends string, T>(name: N, value: T | null): { readonly [K in N]?: T } {
  return (value === null ? {} : { [name]: value }) as { readonly [K in N]?: T };
}
