import type { Client } from '../../client/index.ts';
import type { Explanation, TaskView } from '../../protocol/tasks.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import { hangsOf, hangsText } from '../hangs-of.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { reasonText } from '../output/reasons.ts';
import { shortIds } from '../output/short-id.ts';
import {
  facts,
  failureText,
  indented,
  permissionRequestsText,
  resultText,
  statePaint,
  timeText,
} from '../output/text.ts';
import { taskArgument } from '../flags.ts';
import { taskIdOf } from '../task-id.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'task',
  group: 'Watch',
  what: 'show one task',
  next: 'Next: signalbox tail TASK shows what happened; signalbox explain TASK why it waits',
  args: [taskArgument],
  flags: [],
  examples: [
    { line: 'signalbox task 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', what: '' },
    { line: 'signalbox task 0198f0a2', what: 'the beginning of an id is enough, if no other begins so' },
  ],
  run,
};

const permissionsText = (policy: TaskView['permissions']): string | null =>
  policy === null
    ? null
    : [
        policy.mode,
        ...(policy.allow ?? []).map((rule) => `allow ${harmless(rule)}`),
        ...(policy.deny ?? []).map((rule) => `deny ${harmless(rule)}`),
      ].join('; ');

function stateText({ state, status, reason }: TaskView, explained: Explanation | null, { paint }: Io): string {
  const why = reason === null || reason === status ? '' : ` (${harmless(reasonText(reason))})`;
  const now = explained?.state ?? state;
  return `${statePaint(now, paint)(now)}${why}${explained === null ? '' : `. ${harmless(explained.summary)}`}`;
}

function labelsText(labels: TaskView['labels']): string | null {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}=${text}`);
  return pairs.length === 0 ? null : harmless(pairs.join(' '));
}

/** Events from the end of a tape in which its last words are looked for. */
const lookedBack = 100;

/** The last lines that its agent said, of a task whose last turn had no end; null: it said nothing. */
async function lastSaid(client: Client, { id, seq }: TaskView): Promise<string | null> {
  const { items } = await client.taskEvents(id, { after: Math.max(0, seq - lookedBack), limit: lookedBack });
  const said = items.flatMap((event) =>
    event.kind === 'known' && event.type === 'output' && event.data.part.kind === 'text' ? [event.data.part.text] : [],
  );
  const lines = said.join('').trimEnd().split('\n').slice(-3).join('\n');
  return lines === '' ? null : `its agent said last: ${lines}`;
}

/** What went wrong, in the words of its agent, or what the task waits for now. */
async function troubleOf(client: Client, task: TaskView, explained: Explanation | null) {
  const hangs = await hangsOf(client, task);
  const requests = explained?.permissionRequests.filter((request) => request.task === task.id) ?? [];
  return {
    why: task.state === 'failed' ? (failureText(task.final) ?? task.lastWords ?? (await lastSaid(client, task))) : null,
    requests: permissionRequestsText(requests),
    hangs: hangsText(hangs),
  };
}

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const task = await client.task(await taskIdOf(client, call.arg('TASK')));
  if (io.json) {
    io.document(task);
    return 0;
  }
  const { paint } = io;
  const explained = task.endedAt === null ? await client.explain(task.id) : null;
  const { why, requests, hangs } = await troubleOf(client, task, explained);
  const id = shortIds([task.id, ...task.mergedTasks], io);
  const warn = (text: string | null): string | null => (text === null ? null : paint.warn(harmless(text)));
  const ended =
    task.endedAt === null
      ? null
      : `${timeText(task.endedAt)}, after ${((task.endedAt - task.admittedAt) / 1000).toFixed(1)} s`;
  io.print(
    facts(
      [
        ['task', paint.strong(task.id)],
        ['session', harmless(task.session)],
        ['state', stateText(task, explained, io)],
        ['why', why === null ? null : paint.bad(harmless(why))],
        ['asks', warn(requests)],
        ['hang report', warn(hangs)],
        [
          'lane',
          `${paint[task.lane](task.lane)}${task.priority === 0 ? '' : `, priority ${task.priority}`}, ${task.whenBusy} when busy`,
        ],
        ['from', `${harmless(task.source)}${task.author === null ? '' : `, ${harmless(task.author)}`}`],
        [
          'attempts',
          `${task.attempts} of ${task.maxAttempts}${task.interruptedMidTurn ? '; an earlier turn was interrupted midway' : ''}`,
        ],
        ['model', task.model === null ? null : harmless(task.model)],
        ['permissions', permissionsText(task.permissions)],
        ['holder', task.holder === null ? null : `${harmless(task.holder.name)} (epoch ${task.holder.epoch})`],
        ['merged into', task.mergedInto === null ? null : id(task.mergedInto)],
        ['merged tasks', task.mergedTasks.length === 0 ? null : task.mergedTasks.map(id).join(', ')],
        ['labels', labelsText(task.labels)],
        ['runner', task.runner],
        ['key', task.idempotencyKey],
        ['admitted', timeText(task.admittedAt)],
        ['ended', ended],
        ['events', String(task.seq)],
      ],
      io,
    ),
  );
  io.print(`\n${paint.faint('prompt')}\n${indented(harmless(task.prompt))}`);
  const result = resultText(task.final);
  if (result !== null) {
    io.print(`\n${paint.faint('result')}\n${indented(harmless(result))}`);
  }
  return 0;
}
