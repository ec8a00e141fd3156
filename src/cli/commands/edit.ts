import { AppError } from '../../core/errors.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const written = call.arg('PROMPT');
  const prompt = written === '-' ? await io.input() : written;
  if (prompt.trim() === '') {
    throw new AppError({ code: 'usage', message: 'the prompt is empty' });
  }
  const id = call.arg('TASK');
  const answer = await connect(call, io).edit(id, { prompt, ...whoAsks(call, io) });
  return done(io, answer, `task ${id} has its new prompt`);
}
