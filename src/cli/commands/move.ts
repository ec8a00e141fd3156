import { AppError } from '../../core/errors.ts';
import { lanes } from '../../core/model/task.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, laneFlag, taskArgument } from '../flags.ts';
import type { Command } from '../command.ts';
import { taskIdOf } from '../task-id.ts';

export const command: Command = {
  name: 'move',
  group: 'Change what is queued or runs',
  what: 'move a task that waits to another place, lane or priority',
  next: 'Only a task that the agent does not work on can be moved: signalbox session SESSION shows the queue',
  args: [taskArgument],
  flags: [
    laneFlag,
    { name: 'priority', value: 'N', kind: 'integer', what: 'in the background lane; higher first' },
    { name: 'first', what: 'before all others of its lane' },
    { name: 'last', what: 'behind all others of its lane' },
    { name: 'before', value: 'TASK', what: 'before this one' },
    byFlag,
  ],
  examples: [{ line: 'signalbox move 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 --first', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const lane = call.choice('lane', lanes);
  const priority = call.integer('priority');
  const before = call.text('before');
  const places = [call.on('first'), call.on('last'), before !== null].filter((given) => given).length;
  if (places > 1) {
    throw new AppError({ code: 'usage', message: '--first, --last and --before are one or the other' });
  }
  if (places === 0 && lane === null && priority === null) {
    throw new AppError({
      code: 'usage',
      message: 'it is not said where to',
      hint: 'Give --first, --last, --before TASK, --lane or --priority.',
    });
  }
  const client = await connect(call, io);
  const id = await taskIdOf(client, call.arg('TASK'));
  const body = {
    ...(lane === null ? {} : { lane }),
    ...(priority === null ? {} : { priority }),
    ...(call.on('first') ? { to: 'first' as const } : {}),
    ...(call.on('last') ? { to: 'last' as const } : {}),
    ...(before === null ? {} : { before: await taskIdOf(client, before) }),
    ...whoAsks(call, io),
  };
  const answer = await client.move(id, body);
  return done(io, answer, `task ${id} is moved`);
}
