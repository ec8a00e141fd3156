/**
 * An agent that tries every way out that its protocol has, without a sandbox, in each lane and class of rights. It asks as its
 * dialect asks, and does what it is allowed: what leaves its folder is never allowed unasked. With everything allowed each act
 * succeeds, so an act that is not done was stopped by the policy.
 */
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { claudeDriver } from '../../src/agents/claude/driver.ts';
import { codexDriver } from '../../src/agents/codex/driver.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { processDriver } from '../../src/agents/process/driver.ts';
import { defaultPolicies, type PermissionPolicy, untrustedPolicy } from '../../src/core/model/permission.ts';
import { policyDecision } from '../../src/core/rules/permission-policy.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';

const program = fileURLToPath(new URL('fixtures/asks.mjs', import.meta.url));

const protocols = ['process', 'claude', 'codex', 'acp'] as const;
type Protocol = (typeof protocols)[number];

/** `way`: the client is asked to do it. `lawful`: by whom it may be done unasked. */
interface Act {
  readonly kind?: string;
  readonly path?: string;
  readonly lawful?: 'every lane' | 'background';
  readonly [member: string]: unknown;
}

/** A machine with the home of a user, and a session with links in its folder. */
class Machine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'signalbox-asks-'));
  readonly home = join(this.root, 'home');
  readonly folder = join(this.root, 'session');
  readonly key = join(this.home, '.ssh', 'id_rsa');
  readonly profile = join(this.home, '.bashrc');

  constructor() {
    const files = [this.key, this.profile, join(this.folder, 'a.txt'), join(this.folder, 'sub', 'b.txt')];
    for (const path of files) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'as it was');
    }
    symlinkSync(this.key, join(this.folder, 'link'));
    symlinkSync('../home', join(this.folder, 'out'));
    symlinkSync('../new', join(this.folder, 'dangling'));
    linkSync(this.key, join(this.folder, 'hard'));
    writeFileSync(join(this.folder, 'sh'), '#!/bin/sh\ntouch "$0.ran"\n', { mode: 0o755 });
  }

  driver(protocol: Protocol): AgentDriver {
    const env = { HOME: this.home, PATH: process.env['PATH'] ?? '' };
    const args = [program, protocol];
    const common = { ambient: {}, passEnv: [], env, cwd: this.folder };
    // The arguments of a driver come first, so the program is a script of its own.
    const command = join(this.root, protocol);
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${args.join("' '")}'\n`, { mode: 0o755 });
    switch (protocol) {
      case 'process':
        return processDriver({ ...common, command });
      case 'claude':
        return claudeDriver({ ...common, command });
      case 'codex':
        return codexDriver({ ...common, command });
      case 'acp':
        return acpDriver({ ...common, command, terminal: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What every protocol can ask for. */
function commonActs({ folder, key, profile }: Machine): readonly Act[] {
  const reads = [
    '../home/.ssh/id_rsa',
    key,
    'sub/../../home/.ssh/id_rsa',
    'link',
    'out/.ssh/id_rsa',
    'hard',
    '~/.ssh/id_rsa',
  ];
  const edits = [profile, '../home/.bashrc', 'out/.bashrc', '~/.bashrc', 'link', 'hard', 'dangling'];
  const widening = ['.git/hooks/post-commit', '.claude/settings.json', 'sub/.mcp.json', 'signalbox.config.ts'];
  return [
    { kind: 'read', path: 'a.txt', lawful: 'every lane' },
    { kind: 'read', path: join(folder, 'sub/b.txt'), lawful: 'every lane' },
    { kind: 'search', path: 'sub', lawful: 'every lane' },
    ...reads.map((path) => ({ kind: 'read', path })),
    ...['..', 'out', '/'].map((path) => ({ kind: 'search', path })),
    { kind: 'edit', path: 'mine.txt', lawful: 'background' },
    ...[...edits, ...widening].map((path) => ({ kind: 'edit', path })),
    { kind: 'execute', command: 'touch made' },
    { kind: 'delete', path: profile },
  ];
}

/** What one of them alone can. */
const ownActs: { readonly [P in Protocol]: (machine: Machine) => readonly Act[] } = {
  process: ({ key }) => [
    { kind: 'read', path: key, title: 'a.txt', detail: { file: key } },
    { kind: 'read', path: key, title: 'two words', detail: [{ path: { of: '../home/.ssh/id_rsa' } }] },
    { kind: 'edit', path: key, title: `file://${key}` },
  ],
  claude: ({ key, profile }) => [
    { kind: 'edit', path: profile, input: { file_path: 'mine.txt', path: profile } },
    { kind: 'search', path: 'out', input: { pattern: 'out/*' } },
    { kind: 'read', path: key, tool: 'mcp__files__read', input: { path: 'a.txt' } },
    { kind: 'read', path: key, tool: 'constructor', input: {} },
    { kind: 'execute', command: 'cat a.txt' },
  ],
  codex: ({ root }) => [
    { kind: 'execute', command: 'cat a.txt | head -1', lawful: 'every lane' },
    ...[
      'cat a.txt; touch x1',
      'cat a.txt | tee x2',
      'find . -fprint x3',
      'cd ..; cat home/.ssh/id_rsa',
      'cd nowhere 2>/dev/null; cat ../home/.ssh/id_rsa',
      'grep -R was .',
      'cat l*',
      'cat .*/home/.ssh/id_rsa',
      'sed -n 1p ../home/.ssh/id_rsa',
      'head -n1 -- out/.ssh/id_rsa',
      'wc --files0-from=hard || true',
    ].map((command) => ({ kind: 'execute', command })),
    { kind: 'execute', command: './sh', line: "./sh -c 'cat a.txt'" },
    {
      kind: 'execute',
      command: 'cat ../home/.ssh/id_rsa',
      line: "/bin/bash -lc 'cat .ssh/id_rsa'",
      cwd: join(root, 'home'),
    },
  ],
  acp: ({ folder, key, profile }) => [
    { kind: 'execute', command: 'touch x1', title: 'a.txt', rawInput: { command: 'touch x1', path: 'a.txt' } },
    { kind: 'read', path: key, rawInput: {}, title: 'a.txt' },
    { kind: 'read', path: key, rawInput: { files: ['a.txt', key] } },
    { kind: 'edit', path: profile, rawInput: { changes: { [profile]: { add: 'x' } } } },
    { kind: 'edit', path: profile, rawInput: { patchText: `*** Begin Patch\n*** Update File: ${profile}\n` } },
    { way: 'client reads', path: join(folder, 'a.txt'), lawful: 'every lane' },
    ...[key, join(folder, 'link'), join(folder, 'hard'), join(folder, 'out/.bashrc')].map((path) => ({
      way: 'client reads',
      path,
    })),
    { way: 'client writes', path: join(folder, 'mine.txt'), lawful: 'background' },
    ...[profile, join(folder, 'link'), join(folder, 'dangling'), join(folder, '.git/hooks/post-commit')].map(
      (path) => ({
        way: 'client writes',
        path,
      }),
    ),
    { way: 'client runs', argv: ['touch', 'x2'] },
    { way: 'client runs', argv: ['cat', 'a.txt'], env: [{ name: 'LD_PRELOAD', value: './evil.so' }] },
  ],
};

const policies: readonly (readonly [name: string, policy: PermissionPolicy, lane: 'every lane' | 'background'])[] = [
  ['the interactive lane', defaultPolicies.interactive, 'every lane'],
  ['the background lane', defaultPolicies.background, 'background'],
  ['the rights class untrusted', untrustedPolicy, 'every lane'],
];

/** Of each act, whether it was done. A person who is asked denies. */
async function played(agent: AgentProbe, turn: number, what: unknown, policy: PermissionPolicy): Promise<unknown> {
  let read = 0;
  agent.prompt(turn, Buffer.from(JSON.stringify(what)).toString('base64'));
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
  beforeEach(() => {
    machine = new Machine();
  });
  afterEach(() => machine[Symbol.dispose]());

  const actsOf = (): readonly Act[] => [...commonActs(machine), ...ownActs[protocol](machine)];
  const shown = (acts: readonly Act[]): readonly string[] => acts.map((act) => JSON.stringify(act));

  test.each(policies)('does nothing unasked that %s does not allow', async (_name, policy, lane) => {
    await using agent = new AgentProbe(machine.driver(protocol), { folder: machine.folder });
    await agent.ready();
    const acts = actsOf();
    const came = (await played(agent, 1, acts, policy)) as readonly boolean[];
    const lawful = acts.filter((act) => act.lawful === 'every lane' || act.lawful === lane);
    expect(shown(acts.filter((_act, index) => came[index] === true))).toEqual(shown(lawful));
    expect([readFileSync(machine.key, 'utf8'), readFileSync(machine.profile, 'utf8')]).toEqual([
      'as it was',
      'as it was',
    ]);
    // What it asks for behind the end of its turn is asked for no task.
    expect(await played(agent, 2, 'late', policy)).toBe(false);
  });

  test('does every act of these where everything is allowed', async () => {
    await using agent = new AgentProbe(machine.driver(protocol), { folder: machine.folder });
    await agent.ready();
    const acts = actsOf().filter(({ way }) => way === undefined);
    const came = (await played(agent, 1, acts, { mode: 'allow', allow: [], deny: [] })) as readonly boolean[];
    expect(shown(acts.filter((_act, index) => came[index] !== true))).toEqual([]);
  });
});
