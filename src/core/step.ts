/**
 * The one pure transition function of a session. It reads no clock, makes no ids and does no I/O: the same session and
 * input give the same records and effects, in production, in the simulator and in the model checker. See SPEC.md.
 */
import {
  ack,
  agentExited,
  agentReady,
  makeRoom,
  output,
  result,
  steered,
  turnStarted,
  switched,
  unsolicited,
} from './rules/agent.ts';
import { timer } from './rules/timers.ts';
import { arrange } from './rules/arrange.ts';
import { setDeadlines } from './rules/deadlines.ts';
import { cancel, edit, evict, move, park, report, restartAgent, stop, throttle, unpark } from './rules/commands.ts';
import { begin, type Draft, finish, mustTask } from './draft.ts';
import type { Input } from './model/inputs.ts';
import type { Session } from './model/session.ts';
import type { Reply, RuleReply, StepResult } from './model/replies.ts';
import { permissionRequested, respond, permissionWithdrawn } from './rules/permission.ts';
import { fault, fenced, recovered } from './rules/recover.ts';
import { call, finishRunner, progress } from './rules/runner.ts';
import { submit } from './rules/submit.ts';

function apply(d: Draft, input: Input): RuleReply {
  switch (input.type) {
    case 'submit':
      return submit(d, input);
    case 'cancel':
      return cancel(d, input);
    case 'edit':
      return edit(d, input);
    case 'move':
      return move(d, input);
    case 'stop':
      return stop(d, input);
    case 'evict':
      return evict(d, input);
    case 'park':
      return park(d, input);
    case 'unpark':
      return unpark(d, input);
    case 'fault':
      return fault(d, input);
    case 'restart-agent':
      return restartAgent(d, input);
    case 'make-room':
      return makeRoom(d);
    case 'throttle':
      return throttle(d, input);
    case 'report':
      return report(d, input);
    case 'respond':
      return respond(d, input);
    case 'permission-requested':
      return permissionRequested(d, input);
    case 'permission-withdrawn':
      return permissionWithdrawn(d, input);
    case 'switched':
      return switched(d, input);
    case 'call':
      return call(d, input);
    case 'progress':
      return progress(d, input);
    case 'finish':
      return finishRunner(d, input);
    case 'agent-ready':
      return agentReady(d, input);
    case 'agent-exited':
      return agentExited(d, input);
    case 'turn-started':
      return turnStarted(d, input);
    case 'output':
      return output(d, input);
    case 'ack':
      return ack(d, input);
    case 'result':
      return result(d, input);
    case 'steered':
      return steered(d, input);
    case 'unsolicited':
      return unsolicited(d, input);
    case 'timer':
      return timer(d, input);
    case 'continue':
      return d.s.settling.length > 0 ? { kind: 'ok' } : { kind: 'stale', what: 'unexpected' };
    case 'recovered':
      return recovered(d);
    case 'fenced':
      return fenced(d);
  }
}

const nothing: readonly never[] = [];
const fencedReply: Reply = { kind: 'stale', what: 'fenced' };

const unchanged = (session: Session, reply: Reply): StepResult => ({
  session,
  records: nothing,
  effects: nothing,
  reply,
});

/** Where the admitted task stands after the step, not only after its admission. */
function placed(d: Draft, reply: RuleReply): Reply {
  if (reply.kind !== 'admitted') {
    return reply;
  }
  const { stage } = mustTask(d, reply.task);
  return { ...reply, stage };
}

/** Throws `invariant_broken` only if the core itself is wrong: the shell parks the session and keeps the daemon. */
export function step(session: Session, input: Input): StepResult {
  if (session.fenced) {
    return unchanged(session, fencedReply);
  }
  const d = begin(session, input.at);
  const reply = apply(d, input);
  if (reply.kind === 'refused' || reply.kind === 'stale') {
    return unchanged(session, reply);
  }
  if (!d.s.fenced) {
    arrange(d);
    setDeadlines(d, input.type === 'recovered');
  }
  return finish(d, placed(d, reply));
}
