/** Following events to their end: `tail`, `send --follow` and `send --wait`. */
import type { Client, ReadEvent, ReadFeedEvent } from '../client/index.ts';
import type { Actor } from '../core/model/actor.ts';
import type { RequestedAction } from '../core/model/permission.ts';
import { ruleFor } from '../core/rules/permission-policy.ts';
import { sentEvent } from '../protocol/events/read.ts';
import type { Io } from './io.ts';
import { diffLines, eventText } from './output/event-text.ts';
import { harmless, oneLine } from './output/paint.ts';
import { failureText, resultText } from './output/text.ts';

/** The outcome's exit code: completed is 0, anything else 1. */
const exitOf = (status: string): number => (status === 'completed' ? 0 : 1);

function eventLine(event: ReadEvent, io: Io, where: string): string {
  const { paint } = io;
  const type = event.kind === 'unknown' ? event.name : event.type;
  const time = new Date(event.at).toISOString().slice(11, 23);
  const head = `${time} ${where}${`#${event.seq}`.padEnd(5)} ${type.padEnd(15)} `;
  const text = oneLine(
    eventText(event),
    io.terminal ? Math.max(20, io.columns - head.length) : Number.POSITIVE_INFINITY,
  );
  const colour = event.type === 'final' ? (event.data.status === 'completed' ? paint.good : paint.bad) : paint.strong;
  return `${paint.faint(`${time} ${where}${`#${event.seq}`.padEnd(5)}`)} ${colour(type.padEnd(15))} ${text}`.trimEnd();
}

const diffPaint = (line: string, { paint }: Io): string =>
  line.startsWith('+') ? paint.good(line) : line.startsWith('-') ? paint.bad(line) : paint.faint(line);

/** JSON is the event as the daemon sent it. */
function show(event: ReadEvent | ReadFeedEvent, io: Io, where: string): Promise<void> {
  if (io.json) {
    return io.write(`${JSON.stringify(sentEvent(event))}\n`);
  }
  const diff = diffLines(event).map((line) => `    ${diffPaint(oneLine(line, Number.POSITIVE_INFINITY), io)}`);
  return io.write(`${[eventLine(event, io, where), ...diff].join('\n')}\n`);
}

const onBreak =
  (io: Io) =>
  (error: Error, retryMs: number): void => {
    if (!io.json) {
      io.say(io.paint.faint(`${harmless(error.message)}; trying again in ${Math.ceil(retryMs)} ms`));
    }
  };

/** Shows a task's events after `after`, to its `final`; resolves with the exit code of its outcome. */
export async function followTask(client: Client, task: string, after: number, io: Io): Promise<number> {
  for await (const event of client.follow(task, { after, onBreak: onBreak(io) })) {
    await show(event, io, '');
    if (event.type === 'final') {
      return exitOf(event.data.status);
    }
  }
  return exitOf((await client.task(task)).status);
}

/** What was denied, by whom or what, and how to have it allowed. */
function sayDenied(
  { by, note }: { readonly by: Actor | null; readonly note: string | null },
  action: RequestedAction | null,
  io: Io,
): void {
  if (io.json || action === null) {
    return;
  }
  const what = `denied by ${by?.name ?? 'no actor'}: ${action.tool}: ${action.title}`;
  const how =
    by?.kind === 'policy' ? ` Allow it with --permissions ask --allow ${JSON.stringify(ruleFor(action))}.` : '';
  io.say(io.paint.warn(oneLine(`signalbox: ${what}. ${note ?? ''}${how}`, Number.POSITIVE_INFINITY)));
}

/** Waits for a task's end and prints its result, and nothing else, on standard output. */
export async function waitForTask(client: Client, task: string, io: Io): Promise<number> {
  const asked = new Map<string, RequestedAction>();
  for await (const event of client.follow(task, { onBreak: onBreak(io) })) {
    if (event.type === 'permission-requested') {
      asked.set(event.data.request, event.data.action);
    } else if (event.type === 'permission-resolved' && event.data.decision === 'deny') {
      sayDenied(event.data, asked.get(event.data.request) ?? null, io);
    } else if (event.type === 'final') {
      break;
    }
  }
  const ended = await client.task(task);
  if (io.json) {
    io.document(ended);
    return exitOf(ended.status);
  }
  const text = resultText(ended.final);
  if (ended.status === 'completed') {
    // To a file or another program the result goes as it is.
    if (text !== null) {
      io.print(io.terminal ? harmless(text) : text);
    }
  } else {
    const words = [text, failureText(ended.final)].filter((part) => part !== null && part.trim() !== '').join('\n');
    io.say(
      `signalbox: task ${task} ${ended.status} (${ended.reason ?? ''})${words === '' ? '' : `: ${harmless(words)}`}`,
    );
  }
  return exitOf(ended.status);
}

/** Shows what happens in a session, or everywhere; ends with the process. */
export async function followFeed(client: Client, session: string | null, after: string, io: Io): Promise<number> {
  const from = { onBreak: onBreak(io), ...(after === '0' ? {} : { after }) };
  const events = session === null ? client.followAll(from) : client.followSession(session, from);
  for await (const event of events) {
    await show(event, io, whereOf(event, session === null));
  }
  return 0;
}

/** Prints the stored events, and ends: a task's tape after a seq, or a feed after a position. */
export async function printTape(client: Client, task: string, after: number, io: Io): Promise<number> {
  for (let from = after; ;) {
    const page = await client.taskEvents(task, { after: from, limit: 500 });
    for (const event of page.items) {
      await show(event, io, '');
    }
    if (page.items.length === 0 || page.final) {
      return 0;
    }
    from = page.next;
  }
}

export async function printFeed(client: Client, session: string | null, after: string, io: Io): Promise<number> {
  for (let from = after; ;) {
    const query = { limit: 500, ...(from === '0' ? {} : { after: from }) };
    const page = session === null ? await client.events(query) : await client.sessionEvents(session, query);
    for (const event of page.items) {
      await show(event, io, whereOf(event, session === null));
    }
    if (page.items.length === 0 || page.next === null) {
      return 0;
    }
    from = page.next;
  }
}

const whereOf = (event: ReadFeedEvent, all: boolean): string =>
  `${all ? `${oneLine(event.session, 24)} ` : ''}${event.task === null ? 'session' : event.task} `;
