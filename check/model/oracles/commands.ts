/** What an operator's command leaves behind: who did it, and which park stands. */
import type { ParkedKind } from '../../../src/core/model/session.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';
import { same } from './same.ts';

const stands = 'the park of the higher rank stands, and the later one of the same rank';
const named = 'the tape says who restarted the agent';

/** Lowest first: the daemon closes, a step has thrown, the operator asked for it. */
const ranks: readonly ParkedKind[] = ['closing', 'fault', 'operator'];

export function judgeCommands({ world, input, result }: Move, report: Report): void {
  const before = world.session.parked;
  const after = result.session.parked;
  if (input.type === 'park' || input.type === 'fault') {
    const kind = input.type === 'fault' ? 'fault' : input.kind;
    const by = input.type === 'fault' ? null : input.by;
    const takesOver = before === null || ranks.indexOf(kind) >= ranks.indexOf(before.kind);
    const wanted = takesOver ? { kind, reason: input.reason, by } : before;
    if (!same(after, wanted)) {
      report.fail(stands, `${kind} after ${before?.kind ?? 'none'} leaves ${after?.kind ?? 'none'}`);
    }
    const told = result.records.some((record) => record.type === 'event' && record.event.type === 'parked');
    if (told !== (takesOver && input.type === 'park')) {
      report.fail(stands, told ? 'the tape tells of a park that changes nothing' : 'a park leaves no trace');
    }
  } else if (input.type !== 'unpark' && !same(before, after)) {
    report.fail(stands, `${input.type} changes it`);
  }
  if (input.type === 'restart-agent' && world.session.agent.kind !== 'ending') {
    const told = result.records.some(
      (record) =>
        record.type === 'event' && record.event.type === 'agent-ending' && same(record.event.data.by, input.by),
    );
    if (!told) {
      report.fail(named, 'it does not');
    }
  }
}
