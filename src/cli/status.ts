/** `signalbox status`: one screen of sessions, permission requests and providers. */
import type { Client } from '../client/index.ts';
import type { OpenTasks } from '../protocol/open-tasks.ts';
import type { PermissionRequest } from '../protocol/permissions.ts';
import type { Provider } from '../protocol/providers.ts';
import type { SessionSummary } from '../protocol/sessions.ts';
import type { TaskSummary } from '../protocol/tasks.ts';
import type { Call } from './call.ts';
import { connectTo } from './connect.ts';
import type { Io } from './io.ts';
import { harmlessButColour, oneLine } from './output/paint.ts';
import { type Column, table } from './output/table.ts';
import { ageText, permissionRequestsText, statePaint } from './output/text.ts';

/** A page of the daemon; with more, the newest are shown. */
const pageMax = 200;
const everyMs = 1_000;

interface Picture {
  readonly url: string;
  readonly sessions: readonly SessionSummary[];
  readonly more: boolean;
  readonly tasks: readonly TaskSummary[];
  readonly permissionRequests: readonly PermissionRequest[];
  readonly providers: readonly Provider[];
  readonly openTasks: OpenTasks;
}

async function look(client: Client): Promise<Picture> {
  const [sessions, tasks, requests, providers, openTasks] = await Promise.all([
    client.sessions({ limit: pageMax }),
    client.tasks({ status: ['queued', 'running'], limit: pageMax }),
    client.permissionRequests(),
    client.providers(),
    client.openTasks(),
  ]);
  return {
    url: client.baseUrl,
    sessions: sessions.items,
    more: sessions.cursor !== null,
    tasks: tasks.items,
    permissionRequests: requests.items,
    providers: providers.items,
    openTasks,
  };
}

const columns: readonly Column[] = [
  { title: 'SESSION', min: 14, cut: 'middle' },
  { title: 'STATE' },
  { title: 'FOR' },
  { title: 'QUEUED' },
  { title: 'WORKS ON', min: 12 },
  { title: 'LAST WORDS', min: 12 },
];

/** What needs a person is first, what is free last. */
const order = ['asking', 'parked', 'throttled', 'running', 'interrupting', 'starting', 'waiting', 'free'] as const;

function sessionTable({ sessions, tasks }: Picture, io: Io, now: number): string {
  const titles = new Map(tasks.map(({ id, title }) => [id, title]));
  const rows = sessions
    .filter(({ open, state }) => open > 0 || state === 'parked')
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .map((session) => ({
      cells: [
        session.key,
        session.state,
        ageText(now - (session.ownedSince ?? session.changedAt)),
        String(session.queued),
        session.owner === null ? '' : (titles.get(session.owner.task) ?? ''),
        session.lastWords ?? '',
      ],
      paints: [io.paint.strong, statePaint(session.state, io.paint)],
    }));
  return rows.length === 0 ? 'No task is open.' : table(columns, rows, io);
}

function providerLines(providers: readonly Provider[], { paint }: Io, now: number): readonly string[] {
  return providers
    .filter(({ state }) => state !== 'free')
    .map(({ name, state, reason, level, until }) => {
      const what = state === 'probing' || level === 'background' ? 'background work waits' : 'all work waits';
      const end = until === null ? '' : `, ${ageText(Math.max(0, until - now))} more`;
      return paint.warn(oneLine(`provider ${name}: ${what} (${reason ?? 'unknown'})${end}`, Number.POSITIVE_INFINITY));
    });
}

/** The lines of the screen; on a terminal none is wider than it. */
function screen(picture: Picture, io: Io): readonly string[] {
  const now = Date.now();
  const { sessions, openTasks, more, permissionRequests } = picture;
  const free = sessions.filter(({ state }) => state === 'free').length;
  const head = `${picture.url}: ${openTasks.open} open tasks of at most ${openTasks.limit}; sessions: ${sessions.length}${more ? ' (the newest)' : ''}, ${free} free`;
  const asks = permissionRequestsText(permissionRequests);
  const text = [
    io.paint.faint(oneLine(head, io.columns)),
    ...providerLines(picture.providers, io, now),
    '',
    sessionTable(picture, io, now),
    ...(asks === null ? [] : ['', io.paint.faint('permission requests'), io.paint.warn(asks)]),
  ].join('\n');
  return text.split('\n');
}

/** Fills the terminal from its first line; what does not fit is left out at the bottom. */
function redraw(lines: readonly string[], { paint }: Io): void {
  const room = Math.max(4, (process.stdout.rows || 24) - 1);
  const left = lines.length - room;
  const shown = left > 0 ? [...lines.slice(0, room - 1), paint.faint(`… ${left + 1} more lines`)] : lines;
  const body = shown.map((line) => `${harmlessButColour(line)}\u001b[K\n`).join('');
  process.stdout.write(`\u001b[H${body}\u001b[J`);
}

export async function status(call: Call, io: Io): Promise<number> {
  const { client } = await connectTo(call, io);
  const watch = call.on('watch');
  if (watch && io.terminal && !io.json) {
    process.stdout.write('\u001b[2J');
  }
  for (;;) {
    const picture = await look(client);
    if (io.json) {
      io.document(picture);
    } else if (watch && io.terminal) {
      redraw(screen(picture, io), io);
    } else {
      io.print(screen(picture, io).join('\n'));
    }
    if (!watch) {
      return 0;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
