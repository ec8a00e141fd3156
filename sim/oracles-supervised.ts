/** What the tapes must say of permission requests and of turns that were tried again. */
import { failureRules } from '../src/agents/failures.ts';
import type { TaskEventData } from '../src/core/model/events.ts';
import type { TurnOutcome } from '../src/core/model/session.ts';
import { defaultPolicies, type RequestedAction } from '../src/core/model/permission.ts';
import { policyDecision } from '../src/core/rules/permission-policy.ts';
import type { StoredEvent, StoredTask } from '../src/store/index.ts';
import type { WorldApi } from './world-api.ts';

type Resolved = TaskEventData['permission-resolved'];

/** Every request is decided once, in its turn; what is allowed, the policy or a person has allowed. */
export function judgePermissions(world: WorldApi, task: StoredTask, tape: readonly StoredEvent[]): void {
  const open = new Map<string, RequestedAction>();
  const rule = 'every request is decided once';
  for (const event of tape) {
    const at = `event ${event.seq} of ${task.row.id}, ${event.type}`;
    if (event.type === 'permission-requested') {
      const request = `${event.data.turn} ${event.data.request}`;
      if (open.has(request)) {
        world.violate(rule, `${at} ${request}: it is asked already`);
      }
      open.set(request, event.data.action);
    } else if (event.type === 'permission-resolved') {
      const request = `${event.data.turn} ${event.data.request}`;
      const asked = open.get(request);
      if (asked === undefined) {
        world.violate(rule, `${at} ${request}: nobody asks`);
      } else if (event.data.decision === 'allow' && !isAllowed(world, task, event.data, asked)) {
        world.violate('nothing is allowed but by the policy or a person', `${at} ${request}`);
      }
      open.delete(request);
    } else if ((event.type === 'turn-ended' || event.type === 'final') && open.size > 0) {
      world.violate(rule, `${at}: ${[...open.keys()].join(', ')} is open`);
    }
  }
}

function isAllowed(
  world: WorldApi,
  { row, payload, session }: StoredTask,
  data: Resolved,
  asked: RequestedAction,
): boolean {
  const policy = payload.permissions ?? defaultPolicies[row.lane];
  if (data.by?.kind === 'policy') {
    return policyDecision(policy, asked) === 'allow';
  }
  return world.ledger.allowed.has(`${session} ${data.turn} ${data.request}`);
}

const isPassing = (reason: unknown): boolean =>
  Object.entries(failureRules).some(([name, { transient }]) => name === reason && transient);

/** Retries are counted, and never burnt by a preemption. A failure that passes ends no task, but for a first one without a login. */
export function judgeRetries(world: WorldApi, { row, reason, status }: StoredTask, tape: readonly StoredEvent[]): void {
  const rule = 'a failure that passes is tried again';
  let retries = 0;
  let outcome: TurnOutcome | null = null;
  let why: string | null = null;
  for (const { seq, ...event } of tape) {
    if (event.type === 'turn-sent') {
      why = null;
    } else if (event.type === 'interrupt-requested') {
      why = event.data.why;
    } else if (event.type === 'turn-ended') {
      outcome = event.data.outcome;
      if (why === 'preempt' && outcome === 'failed' && event.data.failure?.transient === true) {
        world.violate('a preemption burns no retry', `event ${seq} of ${row.id}`);
      }
      retries = outcome === 'completed' ? 0 : retries;
    } else if (event.type === 'turn-retried') {
      retries += 1;
      if (event.data.retry !== retries || outcome !== 'failed') {
        world.violate(rule, `event ${seq} of ${row.id}: retry ${retries}, after ${String(outcome)}`);
      }
    }
  }
  if (status === 'failed' && row.mode === 'prompt' && isPassing(reason) && reason !== 'auth') {
    world.violate(rule, `${row.id} failed for ${reason}`);
  }
}
