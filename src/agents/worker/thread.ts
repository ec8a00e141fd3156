/**
 * What runs in the thread: loads the user's module and lets the function driver run it. Started by `agent.ts` only.
 *
 *  worker-thread/1 Whatever the module throws is sent as a record before the thread ends.
 *  worker-thread/2 At most `breathEvery` outputs are on their way: a function that never waits does not fill the daemon's
 *                  memory.
 *  worker-thread/3 What cannot be cloned is reported as such, and ends nothing.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AgentFunction, FunctionDriverOptions } from '../function/options.ts';
import { functionDriver } from '../function/driver.ts';
import { errorRecord } from '../shared/error-record.ts';
import type { AgentEvent, AgentHandle } from '../port.ts';
import type { FromThread, ThreadStart, ToThread } from './wire.ts';

const port = parentPort;
if (port === null) {
  throw new Error('this file runs in a worker thread only');
}

/** The export `options` of a module. */
type ModuleOptions = Pick<FunctionDriverOptions, 'steer' | 'rewind' | 'models' | 'knows' | 'keepsPrompts'>;

const post = (message: FromThread): void => port.postMessage(message);

function send(event: AgentEvent): void {
  try {
    post({ type: 'event', event });
  } catch (error) {
    post({ type: 'event', event: without(event, errorRecord(error).message) });
  }
}

/** The same event without what could not be cloned. */
function without(event: AgentEvent, problem: string): AgentEvent {
  if (event.type === 'output') {
    return { ...event, part: { kind: 'raw', data: { problem } } };
  }
  if (event.type === 'permission-requested') {
    return { ...event, detail: { problem } };
  }
  if (event.type !== 'result') {
    return { type: 'output', turn: null, part: { kind: 'raw', data: { problem, of: event.type } } };
  }
  const report = { text: event.result.report.text, error: { name: 'DataCloneError', message: problem } };
  return { ...event, result: { ...event.result, report } };
}

let marks = 0;
let handled = (): void => {};

function breathe(): Promise<void> {
  marks += 1;
  post({ type: 'mark', mark: marks });
  return new Promise((resolve) => {
    handled = resolve;
  });
}

process.on('uncaughtException', (error) => {
  post({ type: 'crashed', error: errorRecord(error) });
  process.exit(1);
});

async function begin({ module, exported, ...start }: ThreadStart): Promise<AgentHandle> {
  const loaded = (await import(module)) as { readonly [name: string]: unknown };
  const run = loaded[exported];
  if (typeof run !== 'function') {
    throw new TypeError(`the module exports no function \`${exported}\``);
  }
  const options = (loaded['options'] ?? {}) as ModuleOptions;
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
    case 'respond':
      handle.respond(message.turn, message.request, { allow: message.allow, note: message.note });
      return;
    case 'model':
      handle.switchModel(message.model);
      return;
    case 'close':
      handle.close();
      return;
    case 'handled':
      handled();
      return;
  }
}

try {
  const handle = await begin(workerData as ThreadStart);
  // Messages that came earlier wait in the port.
  port.on('message', (message: ToThread) => receive(handle, message));
} catch (error) {
  post({ type: 'unloadable', error: errorRecord(error) });
}
