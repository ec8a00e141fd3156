import type { TaskView } from '../../protocol/tasks.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless } from '../output/paint.ts';
import { facts, indented, resultText, statusPaint, timeText } from '../output/text.ts';
import { taskArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'task',
  group: 'Watch',
  what: 'show one task',
  next: 'Next: signalbox tail TASK shows what happened; signalbox explain TASK why it waits',
  args: [taskArgument],
  flags: [],
  examples: [{ line: 'signalbox task 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', what: '' }],
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

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const task = await client.task(call.arg('TASK'));
  if (io.json) {
    io.document(task);
    return 0;
  }
  const ended =
    task.endedAt === null
      ? null
      : `${timeText(task.endedAt)}, after ${((task.endedAt - task.admittedAt) / 1000).toFixed(1)} s`;
  const reason = task.reason === null || task.reason === task.status ? '' : ` (${harmless(task.reason)})`;
  io.print(
    facts(
      [
        ['task', io.paint.strong(task.id)],
        ['session', harmless(task.session)],
        ['status', `${statusPaint(task.status, io.paint)}${reason}${task.stage === null ? '' : `, ${task.stage}`}`],
        [
          'lane',
          `${io.paint[task.lane](task.lane)}${task.priority === 0 ? '' : `, priority ${task.priority}`}, ${task.whenBusy} when busy`,
        ],
        ['from', `${harmless(task.source)}${task.author === null ? '' : `, ${harmless(task.author)}`}`],
        [
          'attempts',
          `${task.attempts} of ${task.maxAttempts}${task.interruptedMidTurn ? '; an earlier turn was interrupted midway' : ''}`,
        ],
        ['model', task.model === null ? null : harmless(task.model)],
        ['permissions', permissionsText(task.permissions)],
        ['holder', task.holder === null ? null : `${task.holder.name} (epoch ${task.holder.epoch})`],
        ['merged into', task.mergedInto],
        ['merged tasks', task.mergedTasks.length === 0 ? null : task.mergedTasks.join(', ')],
        [
          'labels',
          Object.keys(task.labels).length === 0
            ? null
            : harmless(
                Object.entries(task.labels)
                  .map(([name, text]) => `${name}=${text}`)
                  .join(' '),
              ),
        ],
        ['runner', task.runner],
        ['key', task.idempotencyKey],
        ['admitted', timeText(task.admittedAt)],
        ['ended', ended],
        ['events', String(task.seq)],
      ],
      io.paint,
    ),
  );
  io.print(`\n${io.paint.faint('prompt')}\n${indented(harmless(task.prompt))}`);
  const result = resultText(task.final);
  if (result !== null) {
    io.print(`\n${io.paint.faint('result')}\n${indented(harmless(result))}`);
  }
  return 0;
}
