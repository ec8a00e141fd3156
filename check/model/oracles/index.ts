/** All that is looked at on every transition that has an input, for the first of those that have the same view and input. */
import type { Input } from '../../../src/core/model/inputs.ts';
import type { StepResult } from '../../../src/core/model/replies.ts';
import type { Config } from '../config.ts';
import type { Core } from '../core.ts';
import type { Report } from '../report.ts';
import type { View } from '../world.ts';
import { judgeEdit, judgeMove } from './edit-and-move.ts';
import { judgeAsks } from './permission-requests.ts';
import { judgeCommands } from './commands.ts';
import { judgeDurable, judgeRefusal, judgeUnchanged } from './durable.ts';
import { judgeEndings } from './endings.ts';
import { judgeHold } from './hold.ts';
import type { Move } from './move.ts';
import { judgeReply } from './replies.ts';
import { judgeTape } from './tape.ts';
import { judgeTurn } from './turn.ts';

export function judge(core: Core, config: Config, world: View, input: Input, result: StepResult, report: Report): void {
  const move: Move = { config, world, input, result };
  const { kind } = result.reply;
  judgeReply(move, report);
  judgeRefusal(move, report);
  judgeEdit(move, report);
  judgeMove(move, report);
  if (kind === 'refused' || kind === 'stale') {
    judgeUnchanged(move, report);
    return;
  }
  judgeDurable(core, move, report);
  judgeTape(move, report);
  judgeHold(move, report);
  judgeTurn(move, report);
  judgeEndings(move, report);
  judgeAsks(move, report);
  judgeCommands(move, report);
}
