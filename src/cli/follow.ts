/** Following events to their end: `tail`, `send --follow` and `send --wait`. */
import type { FeedEvent, TapeEvent } from '../client/index.ts';
import type { Client } from '../client/index.ts';
import type { Io } from './io.ts';
import { harmless, oneLine } from './output/paint.ts';
import { resultText } from './output/text.ts';

/** The outcome's exit code: completed is 0, anything else 1. */
const exitOf = (status: string): number => (status === 'completed' ? 0 : 1);

function member(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? (data as { readonly [name: string]: unknown })[name] : undefined;
}

/** What the data of an event say, on one line. */
function dataText({ type, data }: TapeEvent): string {
  if (type === 'output') {
    const part = member(data, 'part');
    const text = member(part, 'text');
    return member(part, 'kind') === 'text' && typeof text === 'string' ? text : JSON.stringify(part);
  }
  if (type === 'final') {
    const text = resultText(data);
    return `${String(member(data, 'status'))} (${String(member(data, 'reason'))})${text === null ? '' : `: ${text}`}`;
  }
  if (type === 'permission-requested') {
    const ask = member(data, 'action');
    return `${String(member(data, 'request'))} ${String(member(ask, 'tool'))}: ${String(member(ask, 'title'))} (${String(member(ask, 'kind'))})`;
  }
  if (type === 'permission-resolved') {
    const note = member(data, 'note');
    const name = member(member(data, 'by'), 'name');
    const by = typeof name === 'string' ? name : 'nobody';
    return `${String(member(data, 'request'))} ${String(member(data, 'decision'))} by ${by}${typeof note === 'string' ? `: ${note}` : ''}`;
  }
  if (typeof data !== 'object' || data === null) {
    return data === null ? '' : JSON.stringify(data);
  }
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function eventLine(event: TapeEvent, io: Io, where: string): string {
  const { paint } = io;
  const time = new Date(event.at).toISOString().slice(11, 23);
  const head = `${time} ${where}${`#${event.seq}`.padEnd(5)} ${event.type.padEnd(15)} `;
  const text = oneLine(
    dataText(event),
    io.terminal ? Math.max(20, io.columns - head.length) : Number.POSITIVE_INFINITY,
  );
  const colour =
    event.type === 'final' ? (member(event.data, 'status') === 'completed' ? paint.good : paint.bad) : paint.strong;
  return `${paint.faint(`${time} ${where}${`#${event.seq}`.padEnd(5)}`)} ${colour(event.type.padEnd(15))} ${text}`.trimEnd();
}

function show(event: TapeEvent | FeedEvent, io: Io, where: string): Promise<void> {
  return io.write(`${io.json ? JSON.stringify(event) : eventLine(event, io, where)}\n`);
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
      return exitOf(String(member(event.data, 'status')));
    }
  }
  return exitOf((await client.task(task)).status);
}

/** Waits for a task's end and prints its result, and nothing else, on standard output. */
export async function waitForTask(client: Client, task: string, io: Io): Promise<number> {
  for await (const event of client.follow(task, { onBreak: onBreak(io) })) {
    if (event.type === 'final') {
      break;
    }
  }
  const ended = await client.task(task);
  if (io.json) {
    io.document(ended);
    return exitOf(ended.status);
  }
  const text = resultText(ended.result);
  if (ended.status === 'completed') {
    // To a file or another program the result goes as it is.
    if (text !== null) {
      io.print(io.terminal ? harmless(text) : text);
    }
  } else {
    io.say(
      `signalbox: task ${task} ${ended.status} (${ended.reason ?? ''})${text === null ? '' : `: ${harmless(text)}`}`,
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

/** Prints what there is, and ends: a task's tape after a seq, or a feed after a position. */
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

const whereOf = (event: FeedEvent, all: boolean): string =>
  `${all ? `${oneLine(event.session, 24)} ` : ''}${event.task === null ? 'session' : event.task} `;
