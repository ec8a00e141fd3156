/** What a tape says of permission requests: each that is decided, how, by whom, and with which note. */
import type { TaskEventData } from '../../../../src/core/model/events.ts';
import { actor, type Facts } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofTask } from './told.ts';

type Decision = Omit<TaskEventData['permission-resolved'], 'turn' | 'request'>;

const maxOpen = 32;

export function toldOfRequests(facts: Facts): readonly Told[] {
  const { input, was, is, owner } = facts;
  if (was === null || owner === null) {
    return nothing;
  }
  const open = is?.id === was.id ? is.permissionRequests : [];
  if (was.permissionRequests.length === 0 && input.type !== 'permission-requested') {
    return nothing;
  }
  const asked = input.type === 'permission-requested' ? [input.request] : [];
  return [...was.permissionRequests, ...asked]
    .filter((request) => !open.includes(request))
    .map((request) =>
      ofTask(owner.id, 'permission-resolved', { turn: was.id, request, ...decisionOf(facts, request) }),
    );
}

function decisionOf({ input, was, is }: Facts, request: string): Decision {
  if (input.type === 'respond' && input.request === request) {
    return { decision: input.allow ? 'allow' : 'deny', by: input.by, note: input.note };
  }
  if (input.type === 'permission-withdrawn' && input.request === request) {
    return { decision: 'withdrawn', by: actor('agent'), note: null };
  }
  if (input.type === 'permission-requested' && input.request === request) {
    if (was !== null && was.interrupt !== null) {
      return { decision: 'withdrawn', by: was.interrupt.by, note: null };
    }
    if (input.policyDecision !== null) {
      return { decision: input.policyDecision, by: actor('policy'), note: null };
    }
    if ((was?.permissionRequests.length ?? 0) >= maxOpen) {
      return { decision: 'deny', by: actor('limit', 'open-requests'), note: null };
    }
  }
  if (input.type === 'timer' && input.name === 'permission') {
    return { decision: 'deny', by: actor('deadline', 'permission'), note: null };
  }
  const interruptedBy = is !== null && is.id === was?.id && is.interrupt !== null ? is.interrupt.by : null;
  return { decision: 'withdrawn', by: interruptedBy, note: null };
}
