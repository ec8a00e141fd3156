/** A module of the worker driver for tests: a function that remembers its conversations in files, and misbehaves on demand. */
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentFunction, FunctionContext, FunctionDriverOptions } from '../../../src/agents/index.ts';
import { acts } from './code-acts.ts';

const turnOfLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const folder = process.env['STATE'] ?? '';
const fileOf = (conversation: string): string => join(folder, `${conversation}.json`);

interface Past {
  readonly turn: number;
  readonly prompt: string;
}

export const options: Pick<FunctionDriverOptions, 'steer' | 'rewind' | 'models' | 'knows'> = {
  steer: () => true,
  rewind: true,
  models: true,
  knows: (conversation) => /^[\w-]+$/.test(conversation) && existsSync(fileOf(conversation)),
};

function remember({ conversation, turn, rewind }: FunctionContext, prompt: string): readonly Past[] {
  const past = existsSync(fileOf(conversation))
    ? (JSON.parse(readFileSync(fileOf(conversation), 'utf8')) as Past[])
    : [];
  if (rewind !== null) {
    past.splice(past.filter((one) => one.turn < rewind).length);
  }
  past.push({ turn, prompt });
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(conversation), JSON.stringify(past));
  return past;
}

/** Blocks its thread in one way or the other; of each there is no way out from inside. */
const blocks: { readonly [prompt: string]: () => void } = {
  loop() {
    for (;;) {}
  },
  wait() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  // Tells this run's call from any other.
  system: () => void execSync(`sleep 2.${process.pid}`),
};

class OddError extends TypeError {
  readonly code = 'ODD';
}

function fail(prompt: string): void {
  if (prompt === 'fail') {
    throw new OddError('the function fails', { cause: new RangeError('too far') });
  }
  if (prompt === 'uncaught') {
    queueMicrotask(() => {
      throw new OddError('nobody catches this', { cause: new Error('at all') });
    });
  }
  if (prompt === 'die') {
    process.exit(3);
  }
}

const agent: AgentFunction = async function* (prompt, context) {
  const past = remember(context, prompt);
  if (prompt === 'history') {
    yield JSON.stringify(past);
    return { text: 'history' };
  }
  if (prompt === 'environment') {
    return JSON.stringify(process.env);
  }
  if (prompt === 'uncloneable') {
    yield { kind: 'notice', code: 'odd', message: 'holds a function', detail: () => 'a function' };
    return { text: 'sent', error: () => 'another' };
  }
  if (prompt === 'empty') {
    return {};
  }
  fail(prompt);
  const acted = yield* acts(prompt, context);
  if (acted !== null) {
    return acted;
  }
  const block = blocks[prompt];
  if (block !== undefined) {
    yield 'now';
    await turnOfLoop();
    block();
  }
  if (prompt === 'silent' || prompt === 'deaf') {
    yield 'a';
  }
  while ((prompt === 'hang' || prompt === 'silent') && !context.signal.aborted) {
    await turnOfLoop();
  }
  if (prompt === 'deaf') {
    await new Promise(() => {});
  }
  if (prompt === 'stdout') {
    process.stdout.write(`${'x'.repeat(1_000_000)} the end`);
  }
  for (let piece = 1; prompt === 'forever' || piece <= (prompt === 'flood' ? 5_000 : 3); piece += 1) {
    yield prompt === 'flood' ? `${piece} ${Date.now()}` : `piece ${piece} `;
    if (prompt !== 'flood' && !context.signal.aborted) {
      await turnOfLoop();
    }
  }
  return { text: 'done', usage: { inputTokens: 1, outputTokens: 3 } };
};

export default agent;
export const other: AgentFunction = async function* (prompt) {
  yield `other: ${prompt}`;
};
export const notAFunction = 7;
