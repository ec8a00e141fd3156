/** A rollback as the model's environment sees it: which turn is meant, whether an agent may still read it, and what the tape says. */
import type { Event } from '../../src/core/model/events.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { TurnId } from '../../src/core/model/ids.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import { treeGet } from '../../src/core/tree.ts';
import { small } from './memory.ts';
import type { Report } from './report.ts';
import type { World } from './world.ts';
import { onWire } from './world.ts';

const tape = 'the tape says what was taken out of the conversation';

/** A turn that no agent has read and no agent will read is not in the conversation. */
export function forgetUnread(world: World): World {
  const { memory, processes } = world;
  const mayBeRead = (turn: TurnId): boolean =>
    processes.some(({ inbox }) => inbox.some((message) => message.type === 'prompt' && message.turn === turn));
  const out = memory.out.filter((turn) => memory.turns.some((one) => one.turn === turn) || mayBeRead(turn));
  return out.length === memory.out.length ? world : { ...world, memory: small({ ...memory, out }) };
}

/** A message that was admitted rolls the running turn of its merge group back. */
export function noteRollback(world: World, input: Input, result: StepResult): World {
  const { session, memory } = world;
  const { hold, tasks } = session;
  if (input.type !== 'submit' || input.task.whenBusy !== 'rollback' || result.reply.kind !== 'admitted') {
    return world;
  }
  const owner = hold === null ? undefined : treeGet(tasks, hold.task);
  const turn = hold?.turn?.id;
  const { mergeGroup, lane } = input.task;
  const aimed = owner?.lane === 'interactive' && lane === 'interactive' && owner.mergeGroup === mergeGroup;
  return aimed && mergeGroup !== null && turn !== undefined && onWire(session) && !memory.out.includes(turn)
    ? { ...world, memory: { ...memory, out: [...memory.out, turn] } }
    : world;
}

/** The agent that has the conversation goes, and takes it along. */
const isOtherAgent = (event: Event): boolean => event.type === 'agent-assigned' && event.data.from !== event.data.agent;

/** The tape says when a rewind was read, and that is so. An agent that lost the conversation has none to take a turn out of. */
export function judgeRewound({ memory, session }: World, input: Input, result: StepResult, report: Report): void {
  const { rewind } = session.conversation;
  let told = input.type === 'agent-ready' && input.conversationReset;
  for (const record of result.records) {
    if (record.type === 'event' && (record.event.type === 'conversation-ended' || isOtherAgent(record.event))) {
      // What was owed to it goes with it.
      told = true;
    }
    if (record.type !== 'event' || record.task !== null || record.event.type !== 'conversation-rewound') {
      continue;
    }
    const { from, turn, ok } = record.event.data;
    const left = memory.turns.find((one) => one.turn >= from && one.turn < turn);
    const failed = input.type === 'result' && input.result.outcome === 'failed';
    if (from !== rewind || (ok && left !== undefined)) {
      report.fail(tape, `turn ${left?.turn ?? from} is not taken out`);
    }
    if (!ok && !failed) {
      report.fail(tape, `turn ${from} is taken out`);
    }
    told = true;
  }
  if (rewind !== null && result.session.conversation.rewind !== rewind && !told) {
    report.fail(tape, `turn ${rewind} is not owed any more, and nothing says why`);
  }
  if (told && result.session.conversation.rewind === rewind && rewind !== null) {
    report.fail(tape, `turn ${rewind} is still owed`);
  }
}
