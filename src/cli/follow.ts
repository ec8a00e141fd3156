/** Following events to their end: `tail`, `send --follow` and `send --wait`. */
import type { Client, ReadEvent, ReadFeedEvent } from '../client/index.ts';
import type { Actor } from '../core/model/actor.ts';
import type { RequestedAction } from '../core/model/permission.ts';
import { ruleFor } from '../core/rules/permission-policy.ts';
import { sentEvent } from '../protocol/events/read.ts';
import type { Io } from './io.ts';
import { Conversation } from './output/conversation.ts';
import { diffLines, eventText } from './output/event-text.ts';
import { harmless, oneLine } from './output/paint.ts';
import { reasonText } from './output/reasons.ts';
import { shortIds } from './output/short-id.ts';
import { failureText, resultText } from './output/text.ts';
import { WaitNotice } from './waiting.ts';

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

/** Prints events. What waits for the next one is printed when it is dropped, or when none has come for a moment. */
interface Printer extends AsyncDisposable {
  show(event: ReadEvent | ReadFeedEvent): Promise<void>;
}

interface Shown {
  /** The protocol, a line for each event; else the conversation. */
  readonly raw: boolean;
  readonly task: string | null;
  readonly session: string | null;
}

/** The policy answers a permission request with the next event. */
const heldMs = 300;

function printer(io: Io, { raw, task, session }: Shown): Printer {
  if (io.json) {
    // JSON is the event as the daemon sent it.
    return printerOf((event) => io.write(`${JSON.stringify(sentEvent(event))}\n`));
  }
  if (raw) {
    return printerOf((event) => {
      const where = task === null && 'position' in event ? whereOf(event, session === null) : '';
      const diff = diffLines(event).map((line) => `    ${diffPaint(oneLine(line, Number.POSITIVE_INFINITY), io)}`);
      return io.write(`${[eventLine(event, io, where), ...diff].join('\n')}\n`);
    });
  }
  const conversation = new Conversation({ io, id: shortIds([], io), task, session });
  const write = (lines: readonly string[]): Promise<void> =>
    lines.length === 0 ? Promise.resolve() : io.write(`${lines.join('\n')}\n`);
  let late: ReturnType<typeof setTimeout> | undefined;
  return {
    async show(event) {
      clearTimeout(late);
      await write(conversation.lines(event));
      if (conversation.holds) {
        late = setTimeout(() => void write(conversation.held()), heldMs);
      }
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(late);
      await write(conversation.held());
    },
  };
}

const printerOf = (show: Printer['show']): Printer => ({ show, [Symbol.asyncDispose]: () => Promise.resolve() });

const onBreak =
  (io: Io) =>
  (error: Error, retryMs: number): void => {
    if (!io.json) {
      io.say(io.paint.faint(`${harmless(error.message)}; trying again in ${Math.ceil(retryMs)} ms`));
    }
  };

/** How a person waits for a task. */
interface Wait {
  /** What it waits for is said, and what a Ctrl-C leaves behind. */
  readonly notices: boolean;
  /** Behind a command that is named: the data folder. */
  readonly flag: string;
}

/** What the signal leaves behind: the task is the daemon's. */
function sayOnInterrupt(task: string, io: Io, flag: string): Disposable {
  const id = shortIds([task], io)(task);
  const interrupted = (): void => {
    io.say(
      `signalbox: task ${id} continues. Follow it: signalbox tail ${id}${flag}; cancel it: signalbox cancel ${id}${flag}`,
    );
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  return { [Symbol.dispose]: () => process.removeListener('SIGINT', interrupted) };
}

/** Nothing where notices are not wanted. */
function noticesOf(client: Client, task: string, io: Io, wait: Wait | null): (WaitNotice & Disposable) | null {
  return wait?.notices === true && !io.json ? new WaitNotice({ client, task, io, flag: wait.flag }) : null;
}

interface FollowOptions {
  /** A seq. */
  readonly after: number;
  readonly raw: boolean;
  /** Null: it is only watched. */
  readonly wait: Wait | null;
}

/** Shows a task's events after `after`, to its `final`; resolves with the exit code of its outcome. */
export async function followTask(client: Client, task: string, io: Io, options: FollowOptions): Promise<number> {
  const { after, raw, wait } = options;
  using notice = noticesOf(client, task, io, wait);
  using _interrupt = wait === null ? null : sayOnInterrupt(task, io, wait.flag);
  const { session } = await client.task(task);
  await using out = printer(io, { raw, task, session });
  for await (const event of client.follow(task, { after, onBreak: onBreak(io) })) {
    notice?.heard(event);
    await out.show(event);
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
export async function waitForTask(client: Client, task: string, io: Io, wait: Wait): Promise<number> {
  using notice = noticesOf(client, task, io, wait);
  using _interrupt = sayOnInterrupt(task, io, wait.flag);
  const asked = new Map<string, RequestedAction>();
  for await (const event of client.follow(task, { onBreak: onBreak(io) })) {
    notice?.heard(event);
    if (event.type === 'permission-requested') {
      asked.set(event.data.request, event.data.action);
    } else if (event.type === 'permission-resolved' && event.data.decision === 'deny') {
      sayDenied(event.data, asked.get(event.data.request) ?? null, io);
    } else if (event.type === 'final') {
      break;
    }
  }
  return await printResult(client, task, io);
}

async function printResult(client: Client, task: string, io: Io): Promise<number> {
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
    const id = shortIds([task], io)(task);
    io.say(
      `signalbox: task ${id} ${ended.status} (${reasonText(ended.reason ?? '')})${words === '' ? '' : `: ${harmless(words)}`}`,
    );
  }
  return exitOf(ended.status);
}

/** Shows what happens in a session, or everywhere; ends with the process. */
export async function followFeed(
  client: Client,
  session: string | null,
  after: string,
  io: Io,
  raw: boolean,
): Promise<number> {
  const from = { onBreak: onBreak(io), ...(after === '0' ? {} : { after }) };
  const events = session === null ? client.followAll(from) : client.followSession(session, from);
  await using out = printer(io, { raw, task: null, session });
  for await (const event of events) {
    await out.show(event);
  }
  return 0;
}

/** Prints the stored events, and ends: a task's tape after a seq, or a feed after a position. */
export async function printTape(client: Client, task: string, after: number, io: Io, raw: boolean): Promise<number> {
  await using out = printer(io, { raw, task, session: (await client.task(task)).session });
  for (let from = after; ;) {
    const page = await client.taskEvents(task, { after: from, limit: 500 });
    for (const event of page.items) {
      await out.show(event);
    }
    if (page.items.length === 0 || page.final) {
      return 0;
    }
    from = page.next;
  }
}

export async function printFeed(
  client: Client,
  session: string | null,
  after: string,
  io: Io,
  raw: boolean,
): Promise<number> {
  await using out = printer(io, { raw, task: null, session });
  for (let from = after; ;) {
    const query = { limit: 500, ...(from === '0' ? {} : { after: from }) };
    const page = session === null ? await client.events(query) : await client.sessionEvents(session, query);
    for (const event of page.items) {
      await out.show(event);
    }
    if (page.items.length === 0 || page.next === null) {
      return 0;
    }
    from = page.next;
  }
}

const whereOf = (event: ReadFeedEvent, all: boolean): string =>
  `${all ? `${oneLine(event.session, 24)} ` : ''}${event.task === null ? 'session' : event.task} `;
