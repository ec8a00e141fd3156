import { AppError } from '../../core/errors.ts';
import type { SubmitReceipt, SubmitRequest } from '../../protocol/tasks.ts';
import type { Client } from '../../client/index.ts';
import type { Call } from '../call.ts';
import { clientOf } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { findTarget, userName } from '../target.ts';
import { taskFieldsOf } from '../task-flags.ts';

async function requestOf(call: Call, io: Io): Promise<SubmitRequest> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  if (prompt.trim() === '' && call.text('runner') === null) {
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

function placeText({ stage, mergedInto, duplicate, fallback, endedTasks }: SubmitReceipt): string {
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
    }[stage],
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function printReceipt(receipt: SubmitReceipt, io: Io, flag: string): void {
  const { paint } = io;
  io.print(
    `${paint.good('accepted')} ${paint.strong(receipt.task)} in ${harmless(receipt.session)}: ${placeText(receipt)}`,
  );
  io.print(paint.faint(`follow it: signalbox tail ${receipt.task}${flag}`));
}

async function submit(client: Client, call: Call, io: Io): Promise<SubmitReceipt> {
  const key = call.text('key');
  const body = await requestOf(call, io);
  return client.submit(body, key === null ? {} : { idempotencyKey: key });
}

export async function run(call: Call, io: Io): Promise<number> {
  const target = findTarget(call, io);
  const client = clientOf(target);
  const receipt = await submit(client, call, io);
  const follow = call.on('follow');
  const wait = call.on('wait');
  if (!wait) {
    if (io.json) {
      io.document(receipt);
    } else {
      printReceipt(receipt, io, target.place?.flag ?? '');
    }
    if (!follow) {
      return 0;
    }
  }
  const { followTask, waitForTask } = await import('../follow.ts');
  return wait ? waitForTask(client, receipt.task, io) : followTask(client, receipt.task, 0, io);
}
