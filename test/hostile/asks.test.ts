/**
 * An agent that tries every way out that its protocol has, without a sandbox, in each lane and class of rights. It asks as its
 * dialect asks, and does what it is allowed: what leaves its folder is never allowed unasked. With everything allowed each act
 * succeeds, so an act that is not done was stopped by the policy.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { claudeDriver } from '../../src/agents/claude/driver.ts';
import { codexDriver } from '../../src/agents/codex/driver.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { processDriver } from '../../src/agents/process/driver.ts';
import { defaultPolicies, type PermissionPolicy, untrustedPolicy } from '../../src/core/model/permission.ts';
import { policyDecision } from '../../src/core/rules/permission-policy.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import {
  actsOf,
  type Lawful,
  lawfulFor,
  Machine,
  type Place,
  promptOf,
  type Protocol,
  protocols,
  secret,
  shown,
} from './acts.ts';

function driverOf(protocol: Protocol, machine: Machine, folder: string): AgentDriver {
  const env = { HOME: machine.home, PATH: process.env['PATH'] ?? '' };
  const common = { ambient: {}, passEnv: [], env, cwd: folder, command: machine.command(protocol) };
  switch (protocol) {
    case 'process':
      return processDriver(common);
    case 'claude':
      return claudeDriver(common);
    case 'codex':
      return codexDriver(common);
    case 'acp':
      return acpDriver({ ...common, terminal: true });
  }
}

const policies: readonly (readonly [name: string, policy: PermissionPolicy, lane: Lawful])[] = [
  ['the interactive lane', defaultPolicies.interactive, 'every lane'],
  ['the background lane', defaultPolicies.background, 'background'],
  ['the rights class untrusted', untrustedPolicy, 'every lane'],
];

/** Of each act, whether it was done. A person who is asked denies. */
async function played(agent: AgentProbe, turn: number, what: unknown, policy: PermissionPolicy): Promise<unknown> {
  let read = 0;
  agent.prompt(turn, promptOf(what));
  await agent.until('the end of the turn', () => {
    for (; read < agent.events.length; read += 1) {
      const event = agent.events[read];
      if (event?.type === 'permission-requested') {
        agent.respond(event.turn, event.request, policyDecision(policy, event.action) === 'allow', null);
      }
    }
    return agent.of('result').some((event) => event.turn === turn);
  });
  return JSON.parse((await agent.result(turn)).result.report.text);
}

describe.each(protocols)('W01: a hostile agent that speaks %s', (protocol) => {
  let machine: Machine;
  let place: Place;
  beforeEach(() => {
    machine = new Machine();
    place = machine.place('session');
  });
  afterEach(() => machine[Symbol.dispose]());

  const probe = (): AgentProbe => new AgentProbe(driverOf(protocol, machine, place.folder), { folder: place.folder });

  test.each(policies)('does nothing unasked that %s does not allow', async (_name, policy, lane) => {
    await using agent = probe();
    await agent.ready();
    const acts = actsOf(protocol, place);
    const came = (await played(agent, 1, acts, policy)) as readonly boolean[];
    expect(shown(acts.filter((_act, index) => came[index] === true))).toEqual(
      shown(lawfulFor(acts, ['every lane', lane])),
    );
    expect([readFileSync(machine.key, 'utf8'), readFileSync(machine.profile, 'utf8')]).toEqual([secret, secret]);
    // What it asks for behind the end of its turn is asked for no task.
    expect(await played(agent, 2, 'late', policy)).toBe(false);
  });

  test('does every act of these where everything is allowed', async () => {
    await using agent = probe();
    await agent.ready();
    const acts = actsOf(protocol, place).filter(({ way }) => way === undefined);
    const came = (await played(agent, 1, acts, { mode: 'allow', allow: [], deny: [] })) as readonly boolean[];
    expect(shown(acts.filter((_act, index) => came[index] !== true))).toEqual([]);
  });
});
