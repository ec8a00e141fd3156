import { AppError } from '../../core/errors.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { byFlag, taskArgument } from '../flags.ts';
import type { Command } from '../command.ts';
import { taskIdOf } from '../task-id.ts';

export const command: Command = {
  name: 'edit',
  group: 'Change what is queued or runs',
  what: 'give a task another prompt, until the agent has the old one',
  next: 'Only a task whose text is not with the agent yet can be edited: signalbox explain TASK',
  args: [taskArgument, { name: 'PROMPT', rest: true }],
  flags: [byFlag],
  examples: [{ line: 'signalbox edit 0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11 "Say good bye"', what: '' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  if (prompt.trim() === '') {
    throw new AppError({ code: 'usage', message: 'the prompt is empty' });
  }
  const client = await connect(call, io);
  const id = await taskIdOf(client, call.arg('TASK'));
  const answer = await client.edit(id, { prompt, ...whoAsks(call, io) });
  return done(io, answer, `task ${id} has its new prompt`);
}
