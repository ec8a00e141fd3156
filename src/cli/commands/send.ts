import { AppError } from '../../core/errors.ts';
import type { SubmitReceipt, SubmitRequest } from '../../protocol/tasks.ts';
import type { Client } from '../../client/index.ts';
import type { Call } from '../call.ts';
import { clientOf } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { findTarget, userName } from '../target.ts';

const lanes = ['interactive', 'background'] as const;
const policies = ['preempt', 'enqueue', 'steer', 'collect', 'replace', 'interrupt', 'rollback', 'reject'] as const;

const usage = (message: string, hint = ''): AppError => new AppError({ code: 'usage', message, hint });

function labelsOf(call: Call): Readonly<{ [name: string]: string }> {
  return Object.fromEntries(
    call.all('label').map((label) => {
      const at = label.indexOf('=');
      if (at < 1) {
        throw usage(`--label must be NAME=TEXT, not ${JSON.stringify(label)}`);
      }
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}

function inputOf(call: Call): { readonly input?: unknown } {
  const text = call.text('input');
  if (text === null) {
    return {};
  }
  try {
    return { input: JSON.parse(text) as unknown };
  } catch {
    throw usage('--input is not JSON', 'Quote it for the shell: --input \'{"depth":2}\'');
  }
}

function permissionsOf(call: Call): SubmitRequest['permissions'] | undefined {
  const mode = call.choice('permissions', ['read-only', 'ask', 'allow'] as const);
  const [allow, deny] = [call.all('allow'), call.all('deny')];
  if (mode !== null) {
    return { mode, allow, deny };
  }
  if (allow.length + deny.length === 0) {
    return undefined;
  }
  throw usage('--allow and --deny go with --permissions', 'Say what holds for all else: --permissions ask');
}

/** Leaves out what is null, so that the daemon's defaults count. */
function given<T extends { readonly [name: string]: unknown }>(members: T): { [K in keyof T]?: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: Exclude<T[K], null>;
  };
}

async function requestOf(call: Call, io: Io): Promise<SubmitRequest> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  const permissions = permissionsOf(call);
  if (prompt.trim() === '' && call.text('runner') === null) {
    throw usage('the prompt is empty');
  }
  return {
    session: call.arg('SESSION'),
    prompt,
    source: call.text('source') ?? 'cli',
    labels: labelsOf(call),
    ...inputOf(call),
    ...(permissions === undefined ? {} : { permissions }),
    ...given({
      lane: call.choice('lane', lanes),
      whenBusy: call.choice('when-busy', policies),
      priority: call.integer('priority'),
      runner: call.text('runner'),
      rights: call.text('rights'),
      model: call.text('model'),
      author: call.text('author') ?? userName(io.env),
      onLost: call.choice('on-lost', ['retry', 'fail'] as const),
      maxAttempts: call.integer('max-attempts'),
    }),
  };
}

function placeText({ place, into, duplicate, fallback, ended }: SubmitReceipt): string {
  const parts = [
    duplicate ? 'sent before with this key: this is its task, and nothing was stored' : null,
    into === null ? null : `part of ${into}`,
    fallback ? 'it could not be steered, so it is queued' : null,
    ended.length === 0 ? null : `takes the place of ${ended.join(', ')}`,
    {
      collecting: 'waits for further parts',
      waiting: 'queued',
      owner: 'has the session',
      merged: 'merged into another task',
    }[place],
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
