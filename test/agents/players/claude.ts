/**
 * Plays Claude Code to its driver: `claude.ts DIALECT STATE-FOLDER …` and the arguments of the real program. It says recorded
 * frames, and does what directives in the prompt tell it to, misbehaviour included; see `subjects/claude-player.ts`.
 *
 * It is stricter than the real one where that loses something: an interrupt that comes before its turn has begun is lost in
 * the old dialect, and in the modern one unless it asks for the queue to be cancelled.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pause, realTimers } from '../../../src/supervise/timers.ts';
import type { Frame } from '../record/recorder.ts';
import { readTranscript } from '../record/recorder.ts';
import type { Dialect } from './claude-frames.ts';
import { Frames, at, fieldsOf } from './claude-frames.ts';
import { hangUp } from './directives.ts';

const [dialect, state, ...args] = process.argv.slice(2) as [Dialect, string, ...string[]];
const option = (name: string): string | null => (args.includes(name) ? (args[args.indexOf(name) + 1] ?? null) : null);
const modern = dialect === 'modern';
const conversation = option('--resume') ?? option('--session-id') ?? '';
const file = join(state, `${conversation}.json`);
const frames = new Frames(dialect, conversation);
const wait = (ms: number): Promise<void> => pause(realTimers, ms);

interface Message {
  readonly uuid: string;
  readonly text: string;
}

interface Running {
  readonly uuids: string[];
  readonly text: string;
  begun: boolean;
  said: string;
  stopped: boolean;
  /** Called when it is to stop. */
  stop: () => void;
}

let queue: Message[] = [];
let turn: Running | null = null;
let merged: string[] | null = null;
let ended = false;
const answers = new Map<string, (response: Frame) => void>();
let lastId = 0;

/** At once, whatever comes next: pipes of a process are written synchronously. */
const put = (text: string): void => {
  for (let rest = Buffer.from(text); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) {
        throw error;
      }
    }
  }
};
const line = (frame: Frame): string => `${JSON.stringify(frame)}\n`;
function say(...some: readonly Frame[]): void {
  if (merged === null) {
    put(some.map(line).join(''));
  } else {
    merged.push(...some.map(line));
  }
}
const lifecycle = (uuid: string, what: string): void => {
  if (modern) {
    say(frames.again('answer', (one) => one['type'] === 'command_lifecycle', { command_uuid: uuid, state: what }));
  }
};
const has = (text: string, directive: string): boolean => text.includes(`[[${directive}]]`);

refuseStart();
createInterface({ input: process.stdin })
  .on('line', (text) => hear(JSON.parse(text) as Frame))
  .on('close', () => {
    ended = true;
    if (turn === null) {
      process.exit(0);
    }
  });
process.on('SIGTERM', () => {
  if (turn !== null && has(turn.text, 'stubborn')) {
    return;
  }
  process.exit(143);
});

/** A conversation that it does not know, or that is there although it should be fresh: as recorded. */
function refuseStart(): void {
  const known = existsSync(file);
  if (option('--resume') !== null ? known : !known) {
    return;
  }
  const how = known ? 'refused-taken' : 'refused-unknown';
  for (const one of readTranscript(frames.file(how)).lines) {
    if (one.dir === 'err' && 'text' in one) {
      process.stderr.write(`${one.text}\n`);
    } else if (one.dir === 'out' && 'frame' in one) {
      put(line(one.frame));
    }
  }
  process.exit(1);
}

function hear(frame: Frame): void {
  if (frame['type'] === 'control_request') {
    control(String(frame['request_id']), fieldsOf(frame['request']));
  } else if (frame['type'] === 'control_response') {
    // Echoed, as everything that it is told.
    say(frame);
    const response = fieldsOf(frame['response']);
    answers.get(String(response['request_id']))?.(response);
  } else {
    receive({ uuid: String(frame['uuid']), text: textOf(frame) });
  }
}

const textAt = (block: Frame): string => (typeof block['text'] === 'string' ? block['text'] : '');
const textOf = (frame: Frame): string => {
  const content = at(frame, 'message', 'content');
  return Array.isArray(content) ? content.map((block) => textAt(fieldsOf(block))).join('') : '';
};

function respond(id: string, response: Frame | undefined, error?: string): void {
  const rest = error === undefined ? { subtype: 'success' } : { subtype: 'error', error };
  say({
    type: 'control_response',
    response: { ...rest, request_id: id, ...(response === undefined ? {} : { response }) },
  });
}

function control(id: string, request: Frame): void {
  switch (request['subtype']) {
    case 'initialize':
      if (process.env['PLAYER_MUTE'] === '1') {
        return;
      }
      say({ ...frames.get('greeting'), response: { ...fieldsOf(frames.get('greeting')['response']), request_id: id } });
      return;
    case 'interrupt':
      interrupt(id, request['cancel_queued'] === true);
      return;
    case 'set_model':
      respond(id, { model: request['model'] });
      return;
    case 'cancel_async_message': {
      const waiting = queue.some(({ uuid }) => uuid === request['message_uuid']);
      queue = queue.filter(({ uuid }) => uuid !== request['message_uuid']);
      if (waiting) {
        lifecycle(String(request['message_uuid']), 'cancelled');
      }
      respond(id, { cancelled: waiting });
      return;
    }
    default:
      respond(id, undefined, `Unsupported control request subtype: ${String(request['subtype'])}`);
  }
}

function receive(message: Message): void {
  queue.push(message);
  lifecycle(message.uuid, 'queued');
  if (turn === null) {
    void next();
  }
}

/** As Claude Code takes a prompt: a command of its own, or a text with files in the place of their mentions. */
const runs = (text: string): boolean => text.startsWith('/');
const mentions = (text: string): string =>
  process.env['CLAUDE_CODE_DISABLE_FILE_MENTIONS'] !== '1' || dialect === 'old'
    ? text.replace(/(?:^|\s)@[\w./~]+/g, 'a file')
    : text;

/** What waits becomes one turn; a moment passes in which it is neither queued nor running. */
async function next(): Promise<void> {
  const messages = queue;
  queue = [];
  if (messages.length === 0) {
    return;
  }
  const running: Running = {
    uuids: messages.map(({ uuid }) => uuid),
    text: messages.map(({ text }) => text).join('\n'),
    begun: false,
    said: '',
    stopped: false,
    stop: () => {},
  };
  turn = running;
  await wait(2);
  if (turn !== running) {
    return;
  }
  running.begun = true;
  writeFileSync(file, JSON.stringify(runs(running.text) ? [] : [...prompts(), mentions(running.text)]));
  for (const uuid of running.uuids) {
    lifecycle(uuid, 'started');
  }
  if (has(running.text, 'merged')) {
    merged = [];
  }
  say(frames.get('init', frames.names(running.uuids)), frames.get('requesting', frames.names(running.uuids)));
  await play(running);
}

const prompts = (): string[] => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []);

function interrupt(id: string, cancelQueued: boolean): void {
  const running = turn;
  const text = running?.text ?? '';
  if (has(text, 'deaf') || has(text, 'blocked')) {
    return;
  }
  const cancelled = cancelQueued && modern ? queue.map(({ uuid }) => uuid) : [];
  if (cancelled.length > 0) {
    queue = [];
  }
  if (running !== null && !running.begun) {
    if (cancelQueued && modern) {
      cancelled.push(...running.uuids);
      turn = null;
    }
    // Else it is lost: the turn has not begun, and no receipt says so in the old dialect.
  }
  for (const uuid of cancelled) {
    lifecycle(uuid, 'cancelled');
  }
  const receipt = modern
    ? {
        still_queued: running !== null && !running.begun && turn !== null ? running.uuids : [],
        ...(cancelQueued ? { cancelled } : {}),
      }
    : undefined;
  if (running === null || !running.begun) {
    respond(id, receipt);
  } else {
    void stopTurn(running, id, receipt);
  }
}

async function stopTurn(running: Running, id: string, receipt: Frame | undefined): Promise<void> {
  const { text } = running;
  if (has(text, 'ack:none')) {
    turn = null;
    running.stopped = true;
    running.stop();
    respond(id, { still_queued: [], cancelled: running.uuids });
    return;
  }
  if (has(text, 'ack:late')) {
    await wait(30);
  }
  if (has(text, 'ack:with-result')) {
    merged = [];
  }
  if (!has(text, 'ack:never') && !has(text, 'ack:after-result')) {
    respond(id, receipt);
  }
  if (has(text, 'ack:before-result')) {
    await wait(30);
  }
  if (has(text, 'no-result') || running.stopped) {
    return;
  }
  running.stopped = true;
  running.stop();
  if (running.said !== '') {
    say(said(running, running.said, { aborted: true }));
  }
  await finish(running, frames.get('broken', frames.names(running.uuids)), 'cancelled');
  if (has(text, 'ack:after-result')) {
    await wait(20);
    respond(id, receipt);
  }
}

async function finish(running: Running, result: Frame, how: string): Promise<void> {
  if (has(running.text, 'split-result')) {
    await slowly(line(result));
  } else {
    say(result);
  }
  if (has(running.text, 'result-twice')) {
    say(result);
  }
  for (const uuid of running.uuids) {
    lifecycle(uuid, how);
  }
  if (merged !== null) {
    put(merged.splice(0).join(''));
  }
  merged = null;
  turn = null;
  if (ended) {
    process.exit(0);
  }
  void next();
}

/** In several reads. */
async function slowly(text: string): Promise<void> {
  for (let from = 0; from < text.length; from += 300) {
    put(text.slice(from, from + 300));
    await wait(1);
  }
}

const said = (running: Running, text: string, more: Frame = {}): Frame => {
  const frame = frames.get('said', { ...frames.names(running.uuids), ...more });
  return { ...frame, message: { ...fieldsOf(frame['message']), content: [{ type: 'text', text }] } };
};
const piece = (running: Running, text: string): void => {
  running.said += text;
  say(frames.stream('content_block_delta', { type: 'text_delta', text }));
};
/** Resolves when the turn is stopped. */
const stopped = (running: Running): Promise<void> =>
  new Promise((resolve) => {
    running.stop = resolve;
  });

function begin(running: Running): void {
  say(
    frames.get('replay', { uuid: running.uuids[0] }),
    frames.stream('message_start'),
    frames.stream('content_block_start'),
  );
}

/** Says it in pieces, and completes. */
async function answer(running: Running, text: string, pieces = 3): Promise<void> {
  begin(running);
  for (let from = 0; from < text.length; from += Math.ceil(text.length / pieces)) {
    piece(running, text.slice(from, from + Math.ceil(text.length / pieces)));
  }
  if (text !== '') {
    say(said(running, text));
  }
  for (const type of ['content_block_stop', 'message_delta', 'message_stop']) {
    say(frames.stream(type));
  }
  await complete(running, text);
}

async function complete(running: Running, text: string): Promise<void> {
  const result = frames.get('result', { result: text, ...frames.names(running.uuids) });
  await finish(running, result, 'completed');
}

async function play(running: Running): Promise<void> {
  const { text } = running;
  const api = /\[\[(api-\w+)\]\]/.exec(text)?.[1];
  if (has(text, 'history')) {
    await answer(running, JSON.stringify(prompts()));
  } else if (has(text, 'empty')) {
    await answer(running, '');
  } else if (api !== undefined) {
    await fail(running, api);
  } else if (has(text, 'flaky')) {
    say(frames.again('api-429', (one) => one['subtype'] === 'api_retry'));
    await answer(running, 'well again');
  } else if (has(text, 'ask') || has(text, 'ask-withdrawn')) {
    await ask(running);
  } else if (has(text, 'odd-request')) {
    await asking({ subtype: 'levitate', height: 3 });
    await answer(running, 'it was answered');
  } else if (has(text, 'tool') || has(text, 'tool-first')) {
    await runTool(running);
  } else if (has(text, 'hang')) {
    await stopped(running);
  } else if (/\[\[(forever|silent|stubborn|blocked)\]\]/.test(text)) {
    await forever(running);
  } else {
    await mischief(running);
  }
}

async function fail(running: Running, scenario: string): Promise<void> {
  for (const frame of frames.failure(scenario)) {
    if (frame['type'] === 'result') {
      await finish(running, { ...frame, ...frames.names(running.uuids) }, 'cancelled');
    } else {
      say(frame);
    }
    await wait(1);
    if (running.stopped) {
      return;
    }
  }
}

async function forever(running: Running): Promise<void> {
  begin(running);
  piece(running, 'c0 ');
  if (has(running.text, 'blocked')) {
    for (;;) {
      continue;
    }
  }
  if (has(running.text, 'silent')) {
    await stopped(running);
  }
  for (let count = 1; !running.stopped; count += 1) {
    await wait(2);
    if (!running.stopped) {
      piece(running, `c${count} `);
    }
  }
}

/** Ends in a strange way, or says strange things and completes. */
async function mischief(running: Running): Promise<void> {
  const { text } = running;
  if (has(text, 'stderr')) {
    for (let count = 0; count < 160; count += 1) {
      process.stderr.write(`${'x'.repeat(65_535)}\n`);
    }
  }
  if (has(text, 'die')) {
    begin(running);
    piece(running, 'and then ');
    process.exit(3);
  }
  if (has(text, 'die-half')) {
    begin(running);
    piece(running, 'and then ');
    put(line(frames.get('result')).slice(0, 100));
    process.exit(3);
  }
  if (has(text, 'hang-up')) {
    begin(running);
    piece(running, 'and then ');
    hangUp();
    await stopped(running);
  }
  if (has(text, 'garbage')) {
    put(
      'not JSON\n\u0000\u0001\ufffd\n[1,2]\n42\nnull\n"words"\n{}\n{"type":"levitate"}\n{"type":"system","subtype":"levitate"}\n',
    );
  }
  if (has(text, 'huge-line')) {
    put(`{"type":"user","text":"${'x'.repeat(3_000_000)}"}\n`);
  }
  if (has(text, 'background')) {
    background('task_started', (tasks) => tasks.length > 0);
  }
  await answer(running, 'c0 c1 c2 ');
  if (has(text, 'background')) {
    await wait(5);
    background('task_notification', (tasks) => tasks.length === 0);
  }
  if (has(text, 'late')) {
    say(said(running, 'too late'));
  }
  if (has(text, 'unsolicited')) {
    await unasked();
  }
}

/** A command in the background begins or ends: the list of them in the modern dialect, a notice in both. */
function background(subtype: string, lists: (tasks: readonly unknown[]) => boolean): void {
  if (modern) {
    say(frames.again('unasked', ({ tasks }) => Array.isArray(tasks) && lists(tasks)));
  }
  say(frames.again('unasked', (one) => one['subtype'] === subtype));
}

async function unasked(): Promise<void> {
  await wait(5);
  say(frames.get('init'), frames.get('requesting'));
  const own: Running = { uuids: [], text: '', begun: true, said: '', stopped: false, stop: () => {} };
  say(said(own, 'by myself', { user_message_uuid: undefined, user_message_uuids: undefined }));
  say(frames.again('unasked', (one) => typeof one['origin'] === 'object', { result: 'by myself' }));
}

/** Resolves with the answer; a request that is withdrawn has none. */
function asking(request: Frame): Promise<Frame> & { readonly id: string } {
  const id = `asked-${(lastId += 1)}`;
  const answered = new Promise<Frame>((resolve) => answers.set(id, resolve));
  say({ type: 'control_request', request_id: id, request });
  return Object.assign(answered, { id });
}

const call = (): Frame => frames.get('call');
const output = (isError: boolean): Frame => {
  const frame = frames.get('output');
  const content = at(frame, 'message', 'content');
  const blocks = Array.isArray(content) ? content.map((block) => ({ ...fieldsOf(block), is_error: isError })) : [];
  return { ...frame, message: { ...fieldsOf(frame['message']), content: blocks } };
};

async function ask(running: Running): Promise<void> {
  begin(running);
  say(call());
  const request = asking(fieldsOf(frames.get('asked')['request']));
  const withdraw = (): void => say({ type: 'control_cancel_request', request_id: request.id });
  if (has(running.text, 'ask-withdrawn')) {
    await wait(5);
    withdraw();
    say(output(true));
    await answer(running, 'never mind');
    return;
  }
  running.stop = withdraw;
  const response = await request;
  if (running.stopped) {
    return;
  }
  running.stop = () => {};
  const allowed = at(response, 'response', 'behavior') === 'allow';
  say(output(!allowed));
  await answer(running, allowed ? 'done' : 'then not');
}

/** A real process with a session of its own, as the real program makes them. */
async function runTool(running: Running): Promise<void> {
  begin(running);
  say(call());
  const first = has(running.text, 'tool-first');
  const child = spawn('sleep', [first ? '0.2' : (process.env['PLAYER_TOOL'] ?? '61')], {
    detached: true,
    stdio: 'ignore',
  });
  const over = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  running.stop = () => child.kill('SIGKILL');
  await over;
  if (running.stopped) {
    return;
  }
  say(output(false));
  for (const { uuid, text } of queue.splice(0)) {
    running.uuids.push(uuid);
    say(frames.get('replay', { uuid, message: { role: 'user', content: [{ type: 'text', text }] } }));
    lifecycle(uuid, 'started');
  }
  await forever(running);
}
