import { AppError } from '../../core/errors.ts';
import type { SubmitReceipt, SubmitRequest } from '../../protocol/tasks.ts';
import type { Client } from '../../client/index.ts';
import type { Call } from '../call.ts';
import { connectTo } from '../connect.ts';
import type { Io } from '../io.ts';
import { loginLack } from '../login.ts';
import type { Target } from '../target.ts';
import { harmless } from '../output/paint.ts';
import { userName } from '../operator.ts';
import { taskFieldsOf, taskFlags } from '../task-flags.ts';
import { shortIds } from '../output/short-id.ts';
import { quietFlag, rawFlag, sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'send',
  group: 'Give it work',
  what: 'give a session a task',
  next: 'Next: signalbox tail TASK, with the id that this prints (or add --follow)',
  args: [sessionArgument, { name: 'PROMPT', rest: true }],
  flags: [
    ...taskFlags,
    {
      name: 'key',
      short: 'k',
      value: 'KEY',
      what: 'idempotency key: the same submit, sent again with it, is one task',
    },
    { name: 'follow', short: 'f', what: 'show what happens, until it ends; its outcome is the exit code' },
    { name: 'wait', short: 'w', what: 'wait until it ends and print its result alone' },
    rawFlag,
    { ...quietFlag, what: 'print the id of the task alone, and nothing of what it waits for' },
  ],
  examples: [
    { line: 'signalbox send hello "Say hello"', what: 'a new session, if there is none of that name' },
    {
      line: 'signalbox send acme/app --lane background "Tidy up the tests"',
      what: 'gives way to everybody who waits',
    },
    {
      line: 'git diff | signalbox send review --wait -',
      what: 'the prompt from standard input, the answer on standard output',
    },
  ],
  run,
};

async function requestOf(call: Call, io: Io): Promise<SubmitRequest> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  if (prompt.trim() === '' && call.text('runner') === null && call.text('mode') !== 'external') {
    throw new AppError({ code: 'usage', message: 'the prompt is empty' });
  }
  const author = userName(io.env);
  return {
    session: call.arg('SESSION'),
    prompt,
    source: 'cli',
    ...(author === null ? {} : { author }),
    ...taskFieldsOf(call),
  };
}

function stageText({ stage, mergedInto, duplicate, fallback, endedTasks, waitsFor }: SubmitReceipt): string {
  const parts = [
    duplicate ? 'sent before with this key: this is its task, and nothing was stored' : null,
    mergedInto === null ? null : `part of ${mergedInto}`,
    fallback ? 'it could not be steered, so it is queued' : null,
    endedTasks.length === 0 ? null : `replaces ${endedTasks.join(', ')}`,
    {
      collecting: 'waits for further parts',
      waiting: 'queued',
      owner: 'has the session',
      merged: 'merged into another task',
      steered: 'goes into the running turn',
      unclaimed: 'waits for its holder',
      released: 'its runner works without the session',
    }[stage],
    waitsFor,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

async function sayLogin(target: Target, io: Io, notices: boolean): Promise<void> {
  const lack = notices ? await loginLack(target, io) : null;
  if (lack !== null) {
    io.say(io.paint.warn(`signalbox: ${lack}`));
  }
}

function printReceipt(receipt: SubmitReceipt, io: Io, flag: string, hint: boolean): void {
  const { paint } = io;
  const id = shortIds([receipt.task], io)(receipt.task);
  io.print(`${paint.good('accepted')} ${paint.strong(id)} in ${harmless(receipt.session)}: ${stageText(receipt)}`);
  if (hint) {
    io.say(paint.faint(`follow it: signalbox tail ${id}${flag}`));
  }
}

async function submit(client: Client, call: Call, io: Io): Promise<SubmitReceipt> {
  const key = call.text('key');
  const body = await requestOf(call, io);
  return client.submit(body, key === null ? {} : { idempotencyKey: key });
}

async function run(call: Call, io: Io): Promise<number> {
  const { client, target } = await connectTo(call, io);
  const receipt = await submit(client, call, io);
  const flag = target.data?.flag ?? '';
  const notices = !call.on('quiet') && !io.json;
  const follow = call.on('follow');
  const wait = call.on('wait');
  if (!wait) {
    if (io.json) {
      io.document(receipt);
    } else if (call.on('quiet')) {
      io.print(receipt.task);
    } else {
      printReceipt(receipt, io, flag, !follow);
    }
    if (!follow) {
      await sayLogin(target, io, notices);
      return 0;
    }
  }
  await sayLogin(target, io, notices);
  if (receipt.waitsFor !== null && notices) {
    io.say(`signalbox: task ${receipt.task} waits: ${harmless(receipt.waitsFor)}`);
  }
  const { followTask, waitForTask } = await import('../follow.ts');
  return wait
    ? waitForTask(client, receipt.task, io, { notices, flag })
    : followTask(client, receipt.task, io, { after: 0, raw: call.on('raw'), wait: { notices, flag } });
}
