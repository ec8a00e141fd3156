/**
 * What is true of the agent's conversation, by what was said, written and asked for: which one the next agent has to be started with, and what the
 * next prompt has to say. Effects are judged against this, not against what the session believes.
 */
import type { Effect } from '../../src/core/model/effects.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Session } from '../../src/core/model/session.ts';
import { treeGet } from '../../src/core/tree.ts';
import type { Config } from './config.ts';
import type { Report } from './report.ts';
import { noTalk, onWire, slotOf, type Talk, type World } from './world.ts';

const answered = 'the answer to a request for a fresh conversation says when it begins';
const resumed = 'an agent is started with the conversation that it has to continue, and never with one that was to end';
const written = 'no prompt goes into a conversation that was to end before it';
const named = 'a sender who names another agent than the session has is refused, and no other';
const assigned = 'the answer to an assignment says when it holds, and whether the conversation is lost';
const mine = 'a turn goes to the agent and the model that were assigned last, and the agent changes at a boundary';
const told = 'rule 9: an agent that does not know what was said before is told so, and why';

/** The owner wants its first turn to begin another conversation than this one. */
function wantsFresh(config: Config, world: World): boolean {
  const { session, slots, talk } = world;
  const index = slotOf(world, session.hold?.task ?? null);
  return talk.first !== null && config.slots[index]?.fresh === true && slots[index]?.prompted === false;
}

/** After a command, or the end of a turn. */
export function noteRequest(world: World, input: Input, result: StepResult): World {
  const owes = (owed: Talk['owed']): World => ({ ...world, talk: { ...world.talk, owed: world.talk.owed ?? owed } });
  if (world.talk.first === null || result.session.fenced) {
    return world;
  }
  if (input.type === 'new-conversation') {
    return owes('fresh');
  }
  for (const { type, ...record } of result.records) {
    if (type !== 'event' || !('event' in record) || record.event.type !== 'turn-ended' || record.task === null) {
      continue;
    }
    const { turn, failure } = record.event.data;
    const goesOn = treeGet(result.session.tasks, record.task) !== undefined;
    if (failure?.class === 'context' && turn !== world.talk.first && goesOn) {
      return result.session.limits.freshWhenFull ? owes('full') : world;
    }
  }
  return world;
}

const isBusyAgent = ({ agent }: Session): boolean =>
  agent.kind === 'starting' || (agent.kind === 'up' && (agent.activity !== 'boundary' || agent.unsolicited));

export function judgeRequest({ session, talk }: World, input: Input, { reply }: StepResult, report: Report): void {
  if (input.type !== 'new-conversation' || reply.kind !== 'conversation') {
    return;
  }
  const { hold } = session;
  const state = talk.first === null ? 'unused' : isBusyAgent(session) ? 'requested' : 'ended';
  const turn = state === 'requested' && onWire(session) ? (hold?.turn?.id ?? null) : null;
  if (reply.state !== state || reply.turn !== turn) {
    report.fail(answered, `it is ${state} (turn ${turn}), and the answer says ${reply.state} (turn ${reply.turn})`);
  }
}

/** Who was assigned last: by the first task, or by command. */
export function noteAssignment(world: World, input: Input, { reply }: StepResult): World {
  if (input.type === 'assign-agent' && reply.kind === 'assigned') {
    return { ...world, fleet: { ...world.fleet, wanted: input.agent, model: input.model } };
  }
  if (
    input.type === 'submit' &&
    input.assign !== undefined &&
    world.fleet.wanted === null &&
    reply.kind === 'admitted'
  ) {
    const { agent, model } = input.assign;
    return { ...world, fleet: { has: agent, wanted: agent, model } };
  }
  return world;
}

export function judgeAssignment(
  { session, talk, fleet }: World,
  input: Input,
  { reply }: StepResult,
  report: Report,
): void {
  if (input.type === 'submit') {
    const differs = input.assign?.named === true && fleet.wanted !== null && fleet.wanted !== input.assign.agent;
    if (differs ? reply.kind === 'admitted' : reply.kind === 'refused' && reply.code === 'agent_differs') {
      report.fail(named, `the session has ${fleet.wanted}, and the sender means ${input.assign?.agent}`);
    }
  }
  if (input.type !== 'assign-agent' || reply.kind !== 'assigned') {
    return;
  }
  const isSame = session.assigned?.agent === input.agent && session.assigned.model === input.model;
  const state = isSame ? 'unchanged' : isBusyAgent(session) ? 'requested' : 'applied';
  const turn = state === 'requested' && onWire(session) ? (session.hold?.turn?.id ?? null) : null;
  const lost = fleet.has !== input.agent && talk.first !== null;
  if (reply.state !== state || reply.turn !== turn || reply.conversationLost !== lost) {
    report.fail(assigned, `it is ${state} (turn ${turn}, lost: ${lost}), and the answer says ${JSON.stringify(reply)}`);
  }
}

/** An agent is started or prompted. */
export function judgeAgent(config: Config, world: World, agent: string | null, report: Report): void {
  if (!config.fleet) {
    return;
  }
  const { fleet, session } = world;
  if (agent !== fleet.wanted) {
    report.fail(mine, `${agent} gets a turn, and ${fleet.wanted} was assigned`);
  }
  const { hold } = session;
  const task = hold === null ? undefined : treeGet(session.tasks, hold.task);
  const model = task?.call?.model ?? config.slots[slotOf(world, task?.id ?? null)]?.model ?? fleet.model;
  if (hold?.turn !== null && hold?.turn?.model !== model) {
    report.fail(mine, `the turn is for the model ${hold?.turn?.model}, and ${model} was assigned`);
  }
}

/** It is over as soon as no agent has it that may be prompted. */
export function settleTalk(world: World): World {
  const { talk, processes, session, fleet } = world;
  const isHeld = processes.some(({ leaving }) => !leaving) || onWire(session);
  if (fleet.has !== fleet.wanted && !isHeld) {
    const untold = talk.first === null ? talk.untold : 'agent';
    return { ...world, fleet: { ...fleet, has: fleet.wanted }, talk: { ...noTalk, untold } };
  }
  return talk.owed === null || isHeld
    ? world
    : { ...world, talk: { name: null, first: null, owed: null, untold: talk.owed } };
}

/** An agent at rest is closed, for the turn of a task that wants another conversation. */
export const noteClose = (config: Config, world: World): World =>
  wantsFresh(config, world) ? { ...world, talk: { ...world.talk, owed: world.talk.owed ?? 'fresh' } } : world;

export function startTalk(
  config: Config,
  world: World,
  { conversation }: Extract<Effect, { type: 'start' }>,
  report: Report,
): World {
  const { talk } = world;
  const ends = talk.owed !== null || wantsFresh(config, world);
  if (conversation !== (ends ? null : talk.name)) {
    report.fail(resumed, `it is started with ${conversation}`);
  }
  const untold = ends ? (talk.owed ?? 'fresh') : talk.untold;
  return conversation === null ? { ...world, talk: { name: null, first: null, owed: null, untold } } : world;
}

export function writeTalk(
  config: Config,
  world: World,
  { turn, conversationReset: says }: Extract<Effect, { type: 'prompt' }>,
  report: Report,
): World {
  const { talk } = world;
  if (talk.owed !== null || wantsFresh(config, world)) {
    report.fail(written, `turn ${turn} does`);
  }
  // An agent that reads without a word is told twice.
  if (says !== talk.untold && !(config.mute && says !== null && talk.untold === null)) {
    report.fail(told, `a prompt says ${says}, and it is ${talk.untold}`);
  }
  return { ...world, talk: { ...talk, first: talk.first ?? turn } };
}
