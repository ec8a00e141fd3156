/** Tells a move of the checker to a person: who did what, and what was different afterwards. */
import type { Input, InputOf, RunnerInput } from '../../src/core/model/inputs.ts';
import type { Agent, Session } from '../../src/core/model/session.ts';
import type { Task } from '../../src/core/model/task.ts';
import type { Effect } from '../../src/core/model/effects.ts';
import { treeEntries, treeGet } from '../../src/core/tree.ts';
import type { Teller } from '../engine/index.ts';
import type { Action, World } from './world.ts';

export const teller: Teller<World, Action> = { sentence, changes };

function sentence(action: Action, before: World): string {
  const { input, result } = action;
  if (input === null) {
    return 'the agent reads, and says nothing yet';
  }
  const answer = result === null ? ' -> the core throws' : answerOf(result.reply);
  const effects =
    result === null || result.effects.length === 0 ? '' : `; effects: ${result.effects.map(effectOf).join(', ')}`;
  return `${subject(action, before)} ${inputOf(input)}${answer}${effects}`;
}

function subject(action: Action, before: World): string {
  switch (action.who) {
    case 'sender':
      return 'a sender:';
    case 'operator':
      return 'the operator:';
    case 'node':
      return action.input?.type === 'recovered' && !before.session.fenced
        ? 'the node dies and comes back:'
        : 'the node:';
    case 'person':
      return 'a person:';
    case 'agent':
    case 'reading':
      return 'the agent:';
    case 'process':
      return 'the process:';
    case 'timer':
      return 'a deadline:';
    case 'runner':
    case 'holder':
    case 'aborted runner':
      return `the ${action.who}:`;
  }
}

function answerOf(reply: NonNullable<Action['result']>['reply']): string {
  switch (reply.kind) {
    case 'ok':
      return '';
    case 'admitted':
      return reply.mergedInto === null ? '' : ` -> into ${reply.mergedInto}`;
    case 'conversation':
    case 'assigned':
      return ` -> ${reply.state}`;
    case 'receipt':
      return ` -> ${reply.receipt.state}`;
    case 'claimed':
      return reply.run === null ? ' -> it waits' : ` -> run ${reply.run}`;
    case 'answered':
      return ` -> answered by turn ${reply.turn}`;
    case 'receipts':
      return ` -> ${reply.receipts.map((receipt) => `${receipt.task} ${receipt.state}`).join(', ')}`;
    case 'refused':
      return ` -> refused, ${reply.code}`;
    case 'stale':
      return ` -> stale, ${reply.what}`;
  }
}

function runnerInput(input: RunnerInput): string {
  switch (input.type) {
    case 'call':
      return `asks for turn ${input.call} of ${input.task} (run ${input.run})`;
    case 'heartbeat':
      return `is alive: ${input.task} (run ${input.run})`;
    case 'progress':
      return `reports progress of ${input.task}`;
    case 'release':
      return `gives the session back: ${input.task} (run ${input.run})`;
    case 'finish':
      return `returns: ${input.task} ${input.status} (run ${input.run})`;
  }
}

function permissionInput(input: InputOf<'permission-requested' | 'permission-withdrawn' | 'respond'>): string {
  switch (input.type) {
    case 'permission-requested':
      return `asks for permission ${input.request} in turn ${input.turn}${input.policyDecision === null ? '' : `, policy: ${input.policyDecision}`}`;
    case 'permission-withdrawn':
      return `asks no more for ${input.request} in turn ${input.turn}`;
    case 'respond':
      return `${input.allow ? 'allows' : 'denies'} ${input.request} of turn ${input.turn}`;
  }
}

function inputOf(input: Input): string {
  switch (input.type) {
    case 'submit':
      return `submits ${input.task.id} (${input.task.lane}, ${input.task.mode}, ${input.task.whenBusy})`;
    case 'cancel':
      return `cancels ${input.task}`;
    case 'edit':
      return `edits ${input.task}`;
    case 'move':
      return `moves ${input.task} ${JSON.stringify({ lane: input.lane, priority: input.priority, where: input.where })}`;
    case 'stop':
      return `stops the ${input.scope}`;
    case 'evict':
      return `evicts the hold of epoch ${input.epoch}`;
    case 'claim':
      return `claims ${input.task} as ${input.holder}`;
    case 'call':
    case 'heartbeat':
    case 'progress':
    case 'release':
    case 'finish':
      return runnerInput(input);
    case 'agent-ready':
      return `process ${input.incarnation} is ready${input.conversationReset ? ', its conversation is lost' : ''}`;
    case 'agent-exited':
      return `process ${input.incarnation} is gone`;
    case 'turn-started':
      return `turn ${input.turn} has started`;
    case 'output':
      return `output of turn ${input.turn}`;
    case 'ack':
      return `acknowledges the interrupt of turn ${input.turn}${input.noResult ? ', no result will come' : ''}`;
    case 'result':
      return `result of turn ${input.turn}: ${input.result.outcome}${input.result.empty ? ', empty' : ''}${input.result.report?.failure === undefined ? '' : `, ${input.result.report.failure.class}`}`;
    case 'steered':
      return `${input.taken ? 'takes' : 'does not take'} ${input.task} into turn ${input.turn}`;
    case 'unsolicited':
      return `a turn that nobody asked for has ${input.phase}`;
    case 'give-way':
      return `another session needs the slot${input.interrupts === null ? '' : `, turn ${input.interrupts} gives way`}`;
    case 'timer':
      return `"${input.name}" of ${input.subject} passes`;
    case 'recovered':
      return 'takes the session up again from its records';
    case 'fenced':
      return 'has lost the session';
    case 'permission-requested':
    case 'permission-withdrawn':
    case 'respond':
      return permissionInput(input);
    case 'turn-limit':
      return `turn ${input.turn} has reached its limit: ${input.limit}`;
    case 'switched':
      return `${input.ok ? 'has changed' : 'does not change'} its model to ${input.model}`;
    case 'throttle':
    case 'fault':
    case 'assign-agent':
      return shellInput(input);
    case 'report':
    case 'rewound':
    case 'continue':
    case 'park':
    case 'unpark':
    case 'restart-agent':
    case 'make-room':
    case 'new-conversation':
      return input.type;
  }
}

function shellInput(input: InputOf<'throttle' | 'fault' | 'assign-agent'>): string {
  switch (input.type) {
    case 'throttle':
      return input.throttle === null ? 'lifts the throttle' : `throttles ${input.throttle.level}`;
    case 'fault':
      return `a step threw: ${input.reason}`;
    case 'assign-agent':
      return `assigns ${input.agent} with ${input.model ?? 'its own model'}`;
  }
}

function effectOf(effect: Effect): string {
  switch (effect.type) {
    case 'start':
    case 'kill':
    case 'close':
      return `${effect.type} process ${effect.incarnation}`;
    case 'prompt':
      return `prompt of turn ${effect.turn} for ${[effect.task, ...effect.mergedTasks].join('+')} to process ${effect.incarnation}`;
    case 'interrupt':
      return `interrupt of turn ${effect.turn}${effect.resend ? ', again' : ''}`;
    case 'respond':
      return `${effect.allow ? 'allow' : 'deny'} ${effect.request} of turn ${effect.turn}`;
    case 'switch':
      return `switch process ${effect.incarnation} to ${effect.model}`;
    case 'continue':
      return 'continue';
    case 'steer':
      return `steer ${effect.task} into turn ${effect.turn}`;
    case 'run':
      return `run ${effect.task} (run ${effect.run})`;
    case 'abort':
      return `abort ${effect.task} (run ${effect.run})`;
    case 'settle':
      return `answer call ${effect.call} of ${effect.task}: ${effect.outcome}`;
    case 'arm':
    case 'disarm':
      return `${effect.type} "${effect.timer}" of ${effect.subject}`;
  }
}

function changes(before: World, after: World): readonly string[] {
  const lines = [
    changed('owner', ownerOf(before.session), ownerOf(after.session)),
    changed('agent', agentOf(before.session.agent), agentOf(after.session.agent)),
    changed('throttle', before.session.throttle?.level ?? 'no', after.session.throttle?.level ?? 'no'),
    changed('parked', before.session.parked?.kind ?? 'no', after.session.parked?.kind ?? 'no'),
    ...tasksOf(before, after),
  ];
  return lines.filter((line) => line !== null);
}

const changed = (what: string, was: string, is: string): string | null =>
  was === is ? null : `${what}: ${was} -> ${is}`;

function ownerOf({ hold }: Session): string {
  if (hold === null) {
    return 'nobody';
  }
  const { turn } = hold;
  const traits =
    turn === null
      ? []
      : [
          turn.protected ? ' protected' : '',
          turn.interrupt?.acked === true ? ' acked' : '',
          turn.result === null ? '' : ' answered',
          ...turn.permissionRequests.map((request) => ` asks ${request}`),
        ];
  const why = turn === null || turn.interrupt === null ? '' : ` for ${turn.interrupt.intent}`;
  const busy = turn === null ? 'between turns' : `turn ${turn.id} ${turn.phase}${why}${traits.join('')}`;
  return `${hold.task} (epoch ${hold.epoch}, ${busy})`;
}

function agentOf(agent: Agent): string {
  if (agent.kind === 'none') {
    return 'none';
  }
  if (agent.kind !== 'up') {
    return `${agent.kind} ${agent.incarnation}`;
  }
  const model = agent.model === null ? '' : ` with model ${agent.model}`;
  return `up ${agent.incarnation} at ${agent.unsolicited ? 'its own turn, ' : ''}${agent.activity}${model}${agent.leavesFor === null ? '' : ', leaves'}`;
}

function tasksOf(before: World, after: World): (string | null)[] {
  const ids = new Set([...treeEntries(before.session.tasks), ...treeEntries(after.session.tasks)].map(([id]) => id));
  return [...ids].map((id) => {
    const was = treeGet(before.session.tasks, id);
    const is = treeGet(after.session.tasks, id);
    return changed(id, was === undefined ? 'not there' : taskText(was), is === undefined ? 'ended' : taskText(is));
  });
}

function taskText(task: Task): string {
  const traits = [
    task.status,
    task.stage,
    task.mergedInto === null ? '' : `into ${task.mergedInto}${task.delivered ? ' (delivered)' : ''}`,
    task.leads === null ? '' : `leads ${task.leads}`,
    task.attempts > 1 ? `attempt ${task.attempts}` : '',
    task.retries > 0 ? `retry ${task.retries}` : '',
    task.verdict === null ? '' : `to end ${task.verdict.status} (${task.verdict.reason})`,
    task.call === null ? '' : `asks for turn ${task.call.id}`,
  ];
  return traits.filter((trait) => trait !== '').join(' ');
}
