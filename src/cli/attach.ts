/**
 * `signalbox attach`: a person types into a session and sees what happens there.
 *
 * It owns the lines that are typed and the stream of the session. The tasks are the daemon's: they continue without it.
 *  attach/1 A line is sent once, after those before it were accepted.
 *  attach/2 Without a terminal it ends when every task that it sent has ended; with one, when its input ends.
 *  attach/3 What is typed is not printed a second time as the prompt of its task.
 */
import { createInterface, clearLine, cursorTo, type Interface } from 'node:readline';
import type { Client, ReadFeedEvent } from '../client/index.ts';
import { AppError } from '../core/errors.ts';
import type { Call } from './call.ts';
import { connectTo } from './connect.ts';
import type { Io } from './io.ts';
import { loginLack } from './login.ts';
import { userName } from './operator.ts';
import { Conversation } from './output/conversation.ts';
import { harmless } from './output/paint.ts';
import { shortIds } from './output/short-id.ts';
import { quoted } from './output/text.ts';
import { taskFieldsOf } from './task-flags.ts';

const help = `Each line is a task for the session; a line that ends with \\ continues on the next.
/approve [REQUEST]  allow a permission request     /deny REASON  deny it
/stop               interrupt what runs            /help         this
Ctrl-D detaches. The tasks continue.`;

/** The policy answers a permission request with the next event. */
const heldMs = 300;

class Attached {
  readonly #client: Client;
  readonly #io: Io;
  readonly #session: string;
  /** What each task is to be, beside its prompt. */
  readonly #fields: ReturnType<typeof taskFieldsOf>;
  readonly #talk: Conversation;
  readonly #own = new Set<string>();
  readonly #open = new Set<string>();
  readonly #ended = new AbortController();
  #reader: Interface | null = null;
  #late: ReturnType<typeof setTimeout> | undefined;
  /** The line that is being carried out; those after it wait for it. */
  #doing: Promise<void> = Promise.resolve();
  #stream: Promise<void> | null = null;
  #failed = false;
  #inputOver = false;

  constructor(client: Client, io: Io, session: string, fields: ReturnType<typeof taskFieldsOf>) {
    this.#fields = fields;
    this.#client = client;
    this.#io = io;
    this.#session = session;
    this.#talk = new Conversation({ io, id: shortIds([], io), task: null, session });
  }

  /** Resolves with the exit code: 1 where a task of it did not complete, without a terminal. */
  async run(): Promise<number> {
    const known = await this.#greet();
    if (known) {
      this.#follow('now');
    }
    const terminal = process.stdin.isTTY && this.#io.terminal;
    const reader = createInterface({
      input: process.stdin,
      ...(terminal ? { output: process.stdout, prompt: '> ' } : {}),
    });
    this.#reader = terminal ? reader : null;
    reader.on('SIGINT', () => reader.close());
    this.#reader?.prompt();
    await this.#read(reader);
    await this.#doing;
    this.#inputOver = true;
    this.#endWhenIdle();
    if (terminal) {
      this.#reader = null;
      this.#ended.abort();
      this.#io.say(harmless(`\ndetached; what runs continues. signalbox tail ${quoted(this.#session)} shows it`));
    }
    await this.#stream;
    return this.#failed && !terminal ? 1 : 0;
  }

  async #read(reader: Interface): Promise<void> {
    let begun = '';
    for await (const line of reader) {
      if (line.endsWith('\\')) {
        begun += `${line.slice(0, -1)}\n`;
        continue;
      }
      const text = begun + line;
      begun = '';
      if (text.trim() !== '') {
        const before = this.#doing;
        this.#doing = before.then(() => this.#do(text));
        await this.#doing;
      }
      this.#reader?.prompt();
    }
  }

  /** Whether there is such a session; else its first task makes it. */
  async #greet(): Promise<boolean> {
    const { paint } = this.#io;
    try {
      const { state, queued, lastWords } = await this.#client.session(this.#session);
      const words = lastWords === null ? '' : `; last words: ${lastWords}`;
      this.#io.say(paint.faint(harmless(`${this.#session} is ${state}, ${queued} queued${words}. /help`)));
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'unknown_session') {
        this.#io.say(paint.faint(harmless(`${this.#session} is a new session: the first line makes it. /help`)));
        return false;
      }
      throw error;
    }
  }

  /** What goes wrong is said, and the next line is read. */
  async #do(text: string): Promise<void> {
    try {
      await (text.startsWith('/') ? this.#command(text.slice(1)) : this.#send(text));
    } catch (error) {
      if (!(error instanceof AppError)) {
        throw error;
      }
      this.#failed = true;
      this.#io.say(harmless(`signalbox: ${error.message}\n${error.hint}`));
    }
  }

  async #send(prompt: string): Promise<void> {
    const author = userName(this.#io.env);
    const { task } = await this.#client.submit({
      session: this.#session,
      prompt,
      source: 'cli',
      ...(author === null ? {} : { author }),
      ...this.#fields,
    });
    this.#own.add(task);
    this.#open.add(task);
    this.#follow(null);
  }

  async #command(words: string): Promise<void> {
    const [name = '', ...rest] = words.trim().split(/\s+/);
    switch (name) {
      case 'approve':
      case 'deny':
        return this.#answer(name === 'approve', rest);
      case 'stop':
        await this.#client.stop(this.#session, { scope: 'turn' });
        return;
      case 'help':
        this.#io.say(help);
        return;
      default:
        this.#io.say(`There is no /${harmless(name)}.\n${help}`);
    }
  }

  async #answer(allow: boolean, words: readonly string[]): Promise<void> {
    const { items } = await this.#client.permissionRequests();
    const open = items.filter(({ session }) => session === this.#session);
    const [first] = words;
    const named = open.find(({ request }) => request === first);
    const asked = named ?? open[0];
    if (asked === undefined) {
      this.#io.say('No permission request is pending here.');
      return;
    }
    const note = words.slice(named === undefined ? 0 : 1).join(' ');
    const { turn, request } = asked;
    const reason = allow || note === '' ? {} : { note };
    await this.#client.respond(this.#session, { turn, request, allow, ...reason, ...this.#by() });
  }

  #by(): { readonly by?: string } {
    const by = userName(this.#io.env);
    return by === null ? {} : { by };
  }

  /** Once; from the beginning where the session is new. */
  #follow(after: 'now' | null): void {
    this.#stream ??= this.#show(after);
  }

  async #show(after: 'now' | null): Promise<void> {
    const { signal } = this.#ended;
    try {
      for await (const event of this.#client.followSession(this.#session, {
        signal,
        ...(after === null ? {} : { after }),
      })) {
        // The answer to a submit says which task is its own, and may come after the first event of the task.
        await this.#doing;
        this.#event(event);
      }
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'aborted')) {
        throw error;
      }
    }
  }

  #event(event: ReadFeedEvent): void {
    clearTimeout(this.#late);
    const isEcho = event.type === 'queued' && event.task !== null && this.#own.has(event.task);
    const lines = this.#talk.lines(event);
    this.#print(isEcho ? [] : lines);
    if (this.#talk.holds) {
      this.#late = setTimeout(() => this.#print(this.#talk.held()), heldMs);
    }
    if (event.type === 'final' && event.task !== null && this.#open.delete(event.task)) {
      this.#failed ||= event.data.status !== 'completed';
      this.#endWhenIdle();
    }
  }

  #endWhenIdle(): void {
    if (this.#inputOver && this.#open.size === 0) {
      this.#ended.abort();
    }
  }

  #print(lines: readonly string[]): void {
    if (lines.length === 0) {
      return;
    }
    if (this.#reader === null) {
      this.#io.print(lines.join('\n'));
      return;
    }
    clearLine(process.stdout, 0);
    cursorTo(process.stdout, 0);
    this.#io.print(lines.join('\n'));
    this.#reader.prompt(true);
  }
}

export async function attach(call: Call, io: Io): Promise<number> {
  const session = call.arg('SESSION');
  const { client, target } = await connectTo(call, io);
  const lack = await loginLack(target, io);
  if (lack !== null) {
    io.say(io.paint.warn(`signalbox: ${lack}`));
  }
  return new Attached(client, io, session, taskFieldsOf(call)).run();
}
