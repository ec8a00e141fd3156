import { AppError } from '../../core/errors.ts';
import { apiOf } from '../api.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../command.ts';
import type { Io } from '../io.ts';
import { findTarget } from '../target.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  if (prompt.trim() === '') throw new AppError({ code: 'usage', message: 'the prompt is empty' });
  const id = call.arg('TASK');
  const answer = await apiOf(findTarget(call, io)).call('editTask', {
    params: { id },
    body: { prompt, ...whoAsks(call, io) },
  });
  return done(io, answer, `task ${id} has its new prompt`);
}
