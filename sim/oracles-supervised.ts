/** What the tapes must say of permission requests and of turns that were tried again. */
import { FAILURES } from '../src/agents/failures.ts';
import { DEFAULT_POLICIES, judge, type PermissionAsk } from '../src/core/policy.ts';
import type { StoredEvent, StoredTask } from '../src/store/index.ts';
import { field } from './facts.ts';
import type { World } from './world.ts';

/** Every request is decided once, in its turn; what is allowed, the policy or a person has allowed. */
export function judgePermissions(world: World, task: StoredTask, tape: readonly StoredEvent[]): void {
  const open = new Map<string, unknown>();
  const rule = 'every request is decided once';
  for (const { type, data, seq } of tape) {
    const request = `${String(field(data, 'turn'))} ${String(field(data, 'request'))}`;
    const at = `event ${seq} of ${task.row.id}, ${type} ${request}`;
    if (type === 'permission-asked') {
      if (open.has(request)) {
        world.violate(rule, `${at}: it is asked already`);
      }
      open.set(request, field(data, 'ask'));
    } else if (type === 'permission-decided') {
      if (!open.has(request)) {
        world.violate(rule, `${at}: nobody asks`);
      }
      if (field(data, 'decision') === 'allow' && !isAllowed(world, task, data, open.get(request))) {
        world.violate('nothing is allowed but by the policy or a person', at);
      }
      open.delete(request);
    } else if ((type === 'turn-ended' || type === 'final') && open.size > 0) {
      world.violate(rule, `${at}: ${[...open.keys()].join(', ')} is open`);
    }
  }
}

function isAllowed(world: World, { row, payload, session }: StoredTask, data: unknown, ask: unknown): boolean {
  const policy = payload.permissions ?? DEFAULT_POLICIES[row.lane];
  if (field(data, 'by') === 'policy') {
    return isAsk(ask) && judge(policy, ask) === 'allow';
  }
  return world.ledger.allowed.has(`${session} ${String(field(data, 'turn'))} ${String(field(data, 'request'))}`);
}

const isAsk = (ask: unknown): ask is PermissionAsk =>
  typeof field(ask, 'kind') === 'string' && typeof field(ask, 'tool') === 'string';

const isPassing = (reason: unknown): boolean =>
  Object.entries(FAILURES).some(([name, { passes }]) => name === reason && passes);

/** Retries are counted, bounded, used up before a failure that passes is final, and never burnt by a preemption. */
export function judgeRetries(world: World, { row, reason, status }: StoredTask, tape: readonly StoredEvent[]): void {
  const rule = 'a failure that passes is tried again';
  const { maxRetries } = world.limits;
  let retries = 0;
  let outcome: unknown = null;
  let why: unknown = null;
  for (const { type, data, seq } of tape) {
    if (type === 'turn-sent') {
      why = null;
    } else if (type === 'interrupt') {
      why = field(data, 'why');
    } else if (type === 'turn-ended') {
      outcome = field(data, 'outcome');
      if (
        why === 'preempt' &&
        outcome === 'failed' &&
        isPassing(field(field(field(data, 'data'), 'failure'), 'class'))
      ) {
        world.violate('a preemption burns no retry', `event ${seq} of ${row.id}`);
      }
      retries = outcome === 'completed' ? 0 : retries;
    } else if (type === 'retried' && field(data, 'retry') !== undefined) {
      retries += 1;
      if (field(data, 'retry') !== retries || retries > maxRetries || outcome !== 'failed') {
        world.violate(rule, `event ${seq} of ${row.id}: retry ${retries} of ${maxRetries}, after ${String(outcome)}`);
      }
    }
  }
  if (status === 'failed' && row.mode === 'prompt' && isPassing(reason) && retries < maxRetries) {
    world.violate(rule, `${row.id} failed for ${reason} after ${retries} of ${maxRetries} retries`);
  }
}
