/** Permission requests, model switches, retries, and a session that has to hold back. */
import type { Mutant } from './mutant.ts';
import { mutant } from './mutant.ts';

const asks: readonly Mutant[] = [
  mutant(
    'a request that was answered stays open',
    'permission',
    'rules/permission',
    'setRequests(d, turn, without(turn, input.request));',
    '',
  ),
  mutant(
    'a request that was withdrawn stays open',
    'permission',
    'rules/permission',
    'setRequests(d, turn, without(turn, request));',
    '',
  ),
  mutant(
    'a request that was decided is decided again',
    'permission',
    'rules/permission',
    'if (treeGet(live.requested, request) !== undefined) {',
    'if (live.permissionRequests.includes(request)) {',
  ),
  mutant('a decision names no turn', 'permission', 'rules/permission', 'turn.id !== input.turn || ', ''),
  mutant('a denial allows', 'permission', 'rules/permission', 'allow: input.allow, decision', 'allow: true, decision'),
  mutant(
    'the deadline allows',
    'permission',
    'rules/permission',
    "{ allow: false, decision: 'deny', by: actorDeadline('permission'), note: null }",
    "{ allow: true, decision: 'deny', by: actorDeadline('permission'), note: null }",
  ),
  mutant(
    'a person is asked for what the policy allows',
    'permission',
    'rules/permission',
    'if (decision !== null) {',
    "if (decision === 'deny') {",
  ),
  mutant(
    'a wait for a person counts as a silence',
    'permission',
    'rules/deadlines',
    "turn.permissionRequests.length > 0 ? 'permission' : 'silence'",
    "turn.id < 0 ? 'permission' : 'silence'",
  ),
  mutant(
    'nobody watches the wait for a person',
    'permission',
    'rules/deadlines',
    "turn.permissionRequests.length > 0 ? 'permission' : 'silence'",
    "turn.permissionRequests.length > 0 ? null : 'silence'",
  ),
  mutant(
    'the deadline of a wait for a person stays armed while the turn is interrupted',
    'permission',
    'rules/deadlines',
    'if (was !== null && before !== null && !same) {',
    "if (was !== null && before !== null && before !== 'permission' && !same) {",
  ),
  mutant(
    'an interrupted turn waits on for a person',
    'permission',
    'rules/turn',
    '    permissionRequests: noRequests,\n  });',
    '  });',
  ),
  mutant(
    'an interrupted turn begins to wait for a person',
    'permission',
    'rules/permission',
    'if (turn.interrupt !== null) {',
    'if (d.s.fenced) {',
  ),
  mutant(
    'a request that is open when the interrupt is latched is never answered',
    'permission-lies',
    'rules/turn',
    'denyRequests(d, turn);\n  } else',
    '} else',
  ),
  mutant(
    'a turn ends and its requests stay open on the tape',
    'permission-lies',
    'rules/turn-end',
    'withdrawRequests(d, turn, null);',
    '',
  ),
  mutant(
    'open requests are forgotten at a crash',
    'permission-lost',
    'draft',
    'permissionRequests: requestsOf(hold),',
    'permissionRequests: noRequests,',
  ),
  mutant(
    'a change of the requests is not recorded',
    'permission',
    'draft',
    ' && sameRequests(requestsOf(a), requestsOf(b))',
    '',
  ),
  mutant(
    'a fault charges a task that waits without a runner',
    'permission-lost',
    'rules/recover',
    "(reason === 'fault' ? run !== null : mode === 'code')",
    "(reason === 'fault' || mode === 'code')",
  ),
];

const models: readonly Mutant[] = [
  mutant(
    'a prompt is written while the model changes',
    'switch',
    'rules/arrange',
    "agent.activity !== 'boundary' ||",
    "agent.activity === 'turn' ||",
  ),
  mutant(
    'an agent with another model is prompted',
    'switch',
    'rules/arrange',
    'if (agent.model !== turn.model) {',
    'if (d.s.fenced) {',
  ),
  mutant(
    'an agent is started with its default',
    'switch',
    'rules/arrange',
    'conversation: d.s.conversation.id, agent, model }',
    'conversation: d.s.conversation.id, agent, model: null }',
  ),
  mutant(
    'the model that a runner asks for is forgotten',
    'switch-runner',
    'rules/assignment',
    'call?.model ?? model',
    'model',
  ),
  mutant('a refused switch is believed', 'switch', 'rules/agent', 'if (!input.ok) {', 'if (d.s.fenced) {'),
  mutant(
    'a switch to another model is believed',
    'switch',
    'rules/agent',
    "agent.activity !== 'switching' || agent.model !== input.model",
    "agent.activity !== 'switching'",
  ),
  mutant('nobody watches the switch', 'switch', 'rules/deadlines', "return 'switch';", 'return null;'),
  mutant(
    'an agent that does not switch is left alone',
    'switch',
    'rules/timers',
    "killAgent(d, 'switch_deadline');",
    '',
  ),
  mutant(
    'the deadline of a switch stays armed',
    'switch',
    'rules/deadlines',
    'before !== null && subject !== null) {',
    "before !== null && before !== 'switch' && subject !== null) {",
  ),
  mutant(
    'an agent that cannot is asked to change its model',
    'switch-restart',
    'rules/arrange',
    'if (!agent.caps.models) {',
    'if (d.s.fenced) {',
  ),
  mutant(
    'a message is steered into a turn of another model',
    'switch-riders',
    'rules/submit',
    'input.task.model !== null && hold.turn.model !== input.task.model',
    'd.s.fenced',
  ),
  mutant(
    'parts for another model are merged',
    'switch-riders',
    'rules/submit',
    'task.lane === lane && task.model === model',
    'task.lane === lane',
  ),
  mutant(
    'nobody is told that the conversation was lost',
    'switch-restart',
    'rules/arrange',
    'conversationReset: d.s.conversation.reset,',
    'conversationReset: false,',
  ),
  mutant(
    'that the conversation was lost is forgotten at a crash',
    'switch-restart',
    'draft',
    'conversationReset: session.conversation.reset,',
    'conversationReset: null,',
  ),
  mutant(
    'every prompt says that the conversation was lost',
    'switch-restart',
    'rules/conversation',
    '  resetRead(d);\n',
    '',
  ),
];

const retries: readonly Mutant[] = [
  mutant(
    'a preemption burns a retry',
    'retry',
    'rules/turn-end',
    'if ((isTransient(end) || hasFilled(d, turn, end)) && givesWay(turn) && task.verdict === null) {',
    'if (turn.id < 0) {',
  ),
  mutant(
    'a retry is not counted',
    'retry',
    'rules/turn-end',
    "stage: 'waiting', retries: task.retries + 1",
    "stage: 'waiting'",
  ),
  mutant(
    'a failure that passes is not tried again',
    'retry',
    'rules/turn-end',
    '(isTransient(end) && (d.s.answered',
    '(d.s.fenced && (d.s.answered',
  ),
  mutant(
    'any failure is tried again',
    'lies',
    'rules/turn-end',
    "end.result.outcome === 'failed' && end.result.report?.failure?.transient === true",
    "end.result.outcome === 'failed'",
  ),
  mutant(
    'who is to try again keeps the session',
    'retry',
    'rules/turn-end',
    "  setHold(d, null);\n  putTask(d, { ...task, stage: 'waiting', retries",
    "  putTask(d, { ...task, stage: 'waiting', retries",
  ),
  mutant(
    'a task that is tried again is told to begin',
    'retry',
    'rules/turn-end',
    'return putTask(d, { ...task, started: true, interruptedMidTurn',
    'return putTask(d, { ...task, started: task.started || !isTransient(end), interruptedMidTurn',
  ),
  mutant(
    'a runner never gets its retries back',
    'retry-runner',
    'rules/turn-end',
    "retries: outcome === 'completed' ? 0 : task.retries,",
    '',
  ),
  mutant(
    'the final does not say why it failed',
    'first-login',
    'rules/turn-end',
    "(report?.failure?.class ?? 'agent_failed')",
    "'agent_failed'",
  ),
];

const throttles: readonly Mutant[] = [
  mutant(
    'a session that holds back altogether goes on',
    'throttle',
    'rules/arrange',
    "session.parked !== null || session.throttle?.level === 'all';",
    'session.parked !== null;',
  ),
  mutant(
    'background work is granted while it is to hold back',
    'throttle',
    'rules/arrange',
    'return first.key.rank === 0 ? first.value : null;',
    'return first.value;',
  ),
  mutant(
    'a background turn is sent while it is to hold back',
    'throttle',
    'rules/arrange',
    "session.throttle !== null && task.lane === 'background';",
    'false;',
  ),
  mutant(
    'a protected turn that may not be sent holds up urgent work',
    'throttle-protected',
    'rules/arrange',
    '(back || !shielded) && interactiveWaits',
    '!shielded && interactiveWaits',
  ),
  mutant(
    'a task that gives way is counted anew',
    'two-callers',
    'rules/turn-end',
    "  putTask(d, { ...task, stage: restingStage(task) });\n  taskEvent(d, task.id, 'preempted'",
    "  hadItsTurn(d, task.id);\n  putTask(d, { ...task, stage: restingStage(task) });\n  taskEvent(d, task.id, 'preempted'",
  ),
  mutant(
    'who is due waits on behind interactive work',
    'two-callers',
    'rules/arrange',
    'return dueWaiter(session) ?? first.value;',
    'return first.value;',
  ),
  mutant(
    'only who was preempted is counted',
    'two-priorities',
    'rules/fairness',
    'waiter !== null && waiter.task !== granted)',
    "waiter !== null && waiter.task !== granted && getTask(d, granted)?.lane === 'interactive')",
  ),
  mutant(
    'a due task gives way before its turn has begun',
    'two-callers',
    'rules/arrange',
    'turn === null ? isDue(d.s, task) && wantsTurn(task) : turn.protected',
    'turn?.protected === true',
  ),
  mutant(
    'the wait deadline is not armed',
    'two-callers',
    'rules/deadlines',
    'restarted ? null : fairWaiter(was), fairWaiter(is)',
    'restarted ? null : fairWaiter(was), null',
  ),
  mutant(
    'a message is steered while the session holds back',
    'throttle-runner',
    'rules/submit',
    '!stalled(d.s) && sameGroup',
    'd.s.parked === null && sameGroup',
  ),
];

const limits: readonly Mutant[] = [
  mutant(
    'a limit of the turn cancels its task',
    'limit',
    'rules/agent',
    "endOrInterrupt(d, task, { status: 'failed', reason: limitReasons",
    "endOrInterrupt(d, task, { status: 'cancelled', reason: limitReasons",
  ),
  mutant(
    'a limit is reached in a turn that is being interrupted',
    'limit',
    'rules/agent',
    `  if (turn.interrupt !== null) {
    return unexpected;
  }
  const task = mustTask(d, mustHold(d).task);
  taskEvent(d, task.id, 'limit-reached'`,
    `  const task = mustTask(d, mustHold(d).task);
  taskEvent(d, task.id, 'limit-reached'`,
  ),
  mutant(
    'a limit of the turn is on no tape',
    'limit-runner',
    'rules/agent',
    "taskEvent(d, task.id, 'limit-reached', { turn: turn.id, limit, bound });",
    '',
  ),
  mutant(
    'a turn at its limit is said to be cancelled',
    'limit-runner',
    'rules/turn-end',
    "by?.kind === 'limit' ? 'failed' : 'cancelled'",
    "'cancelled'",
  ),
];

export const supervised: readonly Mutant[] = [...asks, ...models, ...retries, ...throttles, ...limits];
