/**
 * The inside of the thread: loads the user's module and lets the function driver run it. Started by `driver.ts` only.
 *
 *  T-1 What the module throws, wherever, leaves as a record before the thread ends.
 *  T-2 Not more than `breathEvery` outputs are on their way: a function that never waits fills no memory of the daemon.
 *  T-3 What cannot be cloned is told as such, and ends nothing.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AgentFunction, FunctionDriverOptions } from '../function/driver.ts';
import { functionDriver } from '../function/driver.ts';
import { errorRecord } from '../function/error-record.ts';
import type { AgentEvent, AgentHandle } from '../port.ts';
import type { FromThread, ThreadStart, ToThread } from './wire.ts';

const port = parentPort;
if (port === null) {
  throw new Error('this file is the inside of a worker thread');
}

/** What a module may say of its function, as its export `options`. */
type Given = Pick<FunctionDriverOptions, 'steer' | 'rewind' | 'models' | 'knows'>;

const say = (message: FromThread): void => port.postMessage(message);

function send(event: AgentEvent): void {
  try {
    say({ type: 'event', event });
  } catch (error) {
    say({ type: 'event', event: without(event, errorRecord(error).message) });
  }
}

/** The same event with nothing in it that could not be cloned. */
function without(event: AgentEvent, problem: string): AgentEvent {
  if (event.type === 'output') {
    return { ...event, part: { kind: 'raw', data: { problem } } };
  }
  if (event.type === 'asked') {
    return { ...event, detail: { problem } };
  }
  if (event.type !== 'result') {
    return { type: 'output', turn: null, part: { kind: 'raw', data: { problem, of: event.type } } };
  }
  const report = { text: event.result.report.text, error: { name: 'DataCloneError', message: problem } };
  return { ...event, result: { ...event.result, report } };
}

let marks = 0;
let taken = (): void => {};

function breathe(): Promise<void> {
  marks += 1;
  say({ type: 'mark', mark: marks });
  return new Promise((resolve) => {
    taken = resolve;
  });
}

process.on('uncaughtException', (error) => {
  say({ type: 'crashed', error: errorRecord(error) });
  process.exit(1);
});

async function begin({ module, exported, ...start }: ThreadStart): Promise<AgentHandle> {
  const loaded = (await import(module)) as { readonly [name: string]: unknown };
  const run = loaded[exported];
  if (typeof run !== 'function') {
    throw new TypeError(`the module exports no function \`${exported}\``);
  }
  const options = (loaded['options'] ?? {}) as Given;
  const driver = functionDriver(run as AgentFunction, { ...options, breathe });
  return driver.start({ ...start, folder: null, emit: send, onProcess() {} });
}

function receive(handle: AgentHandle, message: ToThread): void {
  switch (message.type) {
    case 'prompt':
      handle.prompt(message.turn, message.text, { rewind: message.rewind });
      return;
    case 'interrupt':
      handle.interrupt(message.turn);
      return;
    case 'steer':
      handle.steer(message.turn, message.id, message.text);
      return;
    case 'answer':
      handle.answer(message.turn, message.request, { allow: message.allow, note: message.note });
      return;
    case 'model':
      handle.switchModel(message.model);
      return;
    case 'close':
      handle.close();
      return;
    case 'taken':
      taken();
      return;
  }
}

try {
  const handle = await begin(workerData as ThreadStart);
  // What came before waits in the port.
  port.on('message', (message: ToThread) => receive(handle, message));
} catch (error) {
  say({ type: 'unloadable', error: errorRecord(error) });
}
