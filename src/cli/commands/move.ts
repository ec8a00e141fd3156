import { AppError } from '../../core/errors.ts';
import { LANES } from '../../core/model.ts';
import type { Call } from '../call.ts';
import { done, whoAsks } from '../operator.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';

export async function run(call: Call, io: Io): Promise<number> {
  const id = call.arg('TASK');
  const lane = call.choice('lane', LANES);
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
  const body = {
    ...(lane === null ? {} : { lane }),
    ...(priority === null ? {} : { priority }),
    ...(call.on('first') ? { to: 'first' as const } : {}),
    ...(call.on('last') ? { to: 'last' as const } : {}),
    ...(before === null ? {} : { before }),
    ...whoAsks(call, io),
  };
  const answer = await connect(call, io).move(id, body);
  return done(io, answer, `task ${id} is moved`);
}
