/**
 * A hostile program as the agent of a session, with `agent.sandbox: 'required'`: what its folder, its own home and the configuration do not
 * give it, it does not get. Each attempt is made without the sandbox too, where it succeeds: so the test can fail.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { terminalsFor } from '../../src/agents/acp/terminals.ts';
import type { RpcCall } from '../../src/agents/child/json-rpc.ts';
import { agents } from '../../src/agents/registry.ts';
import { AgentSandbox, type HomeNeeds } from '../../src/agents/sandbox/agent-sandbox.ts';
import { anthropicHome } from '../../src/agents/shared/logins.ts';
import { chooseAgent } from '../../src/daemon/agent.ts';
import { dataFiles } from '../../src/protocol/folder.ts';
import type { AgentConfig } from '../../src/protocol/config.ts';
import { descendants, isAlive, limitsHere } from '../../src/supervise/index.ts';
import { placesOf } from '../../src/supervise/sandbox/control-groups.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { bubblewrap, sandboxLack } from '../support/sandbox.ts';

const hostile = fileURLToPath(new URL('fixtures/hostile.mjs', import.meta.url));

type Attempt = readonly [way: string, what: string];
interface Came {
  readonly ok: boolean;
  readonly got: string;
}

/** A machine with a user, a daemon's data folder and two sessions, and a server that listens. */
class Scene implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'signalbox-hostile-'));
  readonly home = join(this.root, 'home');
  readonly data = join(this.home, '.signalbox');
  readonly folder = join(this.data, dataFiles.workspaces, 'mine');
  readonly other = join(this.data, dataFiles.workspaces, 'other');
  readonly token = join(this.data, dataFiles.token);
  readonly key = join(this.home, '.ssh', 'id_rsa');
  readonly profile = join(this.home, '.bashrc');
  readonly socket = join(this.root, 'socket');
  readonly #servers: Server[] = [];

  constructor() {
    for (const path of [this.folder, this.other, dirname(this.key)]) {
      mkdirSync(path, { recursive: true });
    }
    const files = {
      [this.token]: 'token',
      [this.key]: 'key',
      [this.profile]: 'profile',
      [join(this.other, 'notes')]: 'notes',
    };
    for (const [path, text] of Object.entries(files)) {
      writeFileSync(path, text);
    }
  }

  /** A port of loopback, or a socket of the file system. */
  async listen(where: 0 | string): Promise<string> {
    const server = createServer((_request, answer) => void answer.end('hello'));
    this.#servers.push(server);
    await new Promise<void>((resolve) =>
      server.listen(where === 0 ? { port: 0, host: '127.0.0.1' } : { path: where }, resolve),
    );
    const address = server.address();
    return typeof address === 'object' && address !== null ? String(address.port) : where.toString();
  }

  async agent(given: Partial<AgentConfig>): Promise<AgentProbe> {
    const env = { PATH: process.env['PATH'], HOME: this.home };
    const config: AgentConfig = { name: 'process', command: process.execPath, args: [hostile], ...given };
    const { driver } = await chooseAgent(config, { folder: this.data, startMs: 20_000, env, cwd: this.root });
    return new AgentProbe(driver, { session: 'mine', folder: this.folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    );
    rmSync(this.root, { recursive: true, force: true });
  }
}

let turn = 0;

async function attempts(agent: AgentProbe, list: readonly Attempt[]): Promise<readonly Came[]> {
  turn += 1;
  const mine = turn;
  agent.prompt(mine, JSON.stringify(list));
  await agent.until('the result', () => agent.of('result').some((event) => event.turn === mine));
  const result = agent.of('result').find((event) => event.turn === mine);
  return JSON.parse(result?.result.report.text ?? '[]') as readonly Came[];
}

const whichSucceeded = (list: readonly Attempt[], came: readonly Came[]): string[] =>
  list.filter((_, index) => came[index]?.ok === true).map((attempt) => attempt.join(' '));

describe('a hostile program in a sandbox', () => {
  let scene: Scene;

  beforeEach((context) => {
    if (sandboxLack !== null) {
      context.skip(sandboxLack);
    }
    scene = new Scene();
  });
  afterEach(async () => scene?.[Symbol.asyncDispose]());

  const reads = (): readonly Attempt[] => [
    ['read', scene.key],
    ['read', scene.token],
    ['read', '../other/notes'],
    ['list', scene.other],
    ['list', join(scene.home, '.ssh')],
    ['read through a link', scene.key],
    ['hard link', scene.token],
    ['shell', `cat ${scene.key}`],
    ['shell', `cat /proc/${process.pid}/environ`],
    ['shell', `cat /proc/${process.pid}/root${scene.token}`],
    ['signal', String(process.pid)],
  ];
  const writes = (): readonly Attempt[] => [
    ['write', scene.profile],
    ['write', '../../written'],
    ['write', join(scene.other, 'written')],
    ['shell', `echo hostile >>${scene.token}`],
    ['remove', join(scene.other, 'notes')],
  ];

  test('reads nothing outside of its folder', async () => {
    await using open = await scene.agent({ sandbox: 'off' });
    expect(whichSucceeded(reads(), await attempts(open, reads()))).toHaveLength(reads().length);
    await using agent = await scene.agent({ sandbox: 'required' });
    expect(whichSucceeded(reads(), await attempts(agent, reads()))).toEqual([]);
  });

  test('writes its folder, and what it writes in its home stays there', async () => {
    await using agent = await scene.agent({ sandbox: 'required' });
    const own: readonly Attempt[] = [
      ['write', 'mine'],
      ['write', '/tmp/mine'],
      ['write', scene.profile],
      ['read', scene.profile],
    ];
    expect(whichSucceeded(own, await attempts(agent, own))).toHaveLength(own.length);
    await attempts(agent, writes());
    expect(readFileSync(scene.profile, 'utf8')).toBe('profile');
    expect(readFileSync(scene.token, 'utf8')).toBe('token');
    expect(readFileSync(join(scene.other, 'notes'), 'utf8')).toBe('notes');
    const strays = [join(scene.folder, '../../written'), join(scene.other, 'written')];
    expect(strays.filter((path) => existsSync(path))).toEqual([]);
    expect(readFileSync(join(scene.folder, 'mine'), 'utf8')).toBe('hostile');
    expect(existsSync('/tmp/mine')).toBe(false);
    agent.kill();
    await agent.until('its end', () => agent.of('exited').length > 0);
    await using next = await scene.agent({ sandbox: 'required' });
    expect(await attempts(next, [['read', scene.profile]])).toEqual([{ ok: true, got: 'hostile' }]);
    await using open = await scene.agent({ sandbox: 'off' });
    expect(whichSucceeded(writes(), await attempts(open, writes()))).toHaveLength(writes().length);
  });

  test('connects to nothing without a network, and to no socket of the file system with one', async () => {
    const list: readonly Attempt[] = [
      ['connect', await scene.listen(0)],
      ['socket', await scene.listen(scene.socket)],
    ];
    await using open = await scene.agent({ sandbox: 'off' });
    expect(whichSucceeded(list, await attempts(open, list))).toHaveLength(2);
    await using alone = await scene.agent({ sandbox: 'required', network: 'none' });
    expect(whichSucceeded(list, await attempts(alone, list))).toEqual([]);
    await using connected = await scene.agent({ sandbox: 'required', network: 'all' });
    expect(whichSucceeded(list, await attempts(connected, list))).toEqual([list[0]?.join(' ')]);
  });

  test('connects by a list of hosts to these alone, and only through the proxy', async () => {
    const [listed, other] = [await scene.listen(0), await scene.listen(0)];
    const through = (port: string): Attempt => ['proxy', `localhost:${port}`];
    await using agent = await scene.agent({ sandbox: 'required', network: [`localhost:${listed}`] });
    const list: readonly Attempt[] = [
      through(listed),
      through(other),
      ['proxy', `127.0.0.1:${listed}`],
      ['connect', listed],
    ];
    const came = await attempts(agent, list);
    expect(whichSucceeded(list, came)).toEqual([through(listed).join(' ')]);
    expect(came.map(({ got }) => got)).toEqual(['200 hello', '403', '403', 'ECONNREFUSED']);
    const wide: readonly Attempt[] = [
      ['fetch', `http://localhost:${listed}/`],
      ['plain', `http://localhost:${listed}/`],
      ['plain', `http://localhost:${other}/`],
      ['plain', `https://localhost:${listed}/`],
      ['plain', '/'],
    ];
    const [forbidden, done] = ['HTTP/1.1 403 Forbidden', 'HTTP/1.1 200 OK'];
    expect((await attempts(agent, wide)).map(({ got }) => got)).toEqual([
      '200 hello',
      done,
      forbidden,
      forbidden,
      forbidden,
    ]);
    const kept: readonly Attempt[] = [
      ['read', scene.token],
      ['shell', 'echo $NODE_CHANNEL_FD; ls /proc/self/fd | wc -l'],
    ];
    expect((await attempts(agent, kept)).map(({ got }) => got)).toEqual([
      'ENOENT',
      expect.stringMatching(/^\n[45]\n$/),
    ]);
  });

  test('leaves no process behind, though they are in other sessions and have no cookie', async () => {
    await using agent = await scene.agent({ sandbox: 'required' });
    expect(whichSucceeded([['spread', '20']], await attempts(agent, [['spread', '20']]))).toHaveLength(1);
    const all = descendants(agent.identities[0]?.pid ?? 0);
    expect(all.length).toBeGreaterThanOrEqual(20);
    agent.kill();
    await agent.until('its end', () => agent.of('exited').length > 0);
    expect(all.filter(isAlive)).toEqual([]);
  });

  test('has no more processes than it may have', async (context) => {
    if (!limitsHere().processes) {
      context.skip('processes of root are bounded by control groups, which cannot be made here');
    }
    await using agent = await scene.agent({ sandbox: 'required', maxProcesses: 60 });
    const bomb = 'for i in $(seq 300); do sleep 1000 >/dev/null 2>&1 & done; echo all';
    expect(await attempts(agent, [['shell', bomb]])).toMatchObject([{ ok: false }]);
    const alive = descendants(agent.identities[0]?.pid ?? 0);
    expect(alive.length).toBeGreaterThan(20);
    expect(alive.length).toBeLessThanOrEqual(60);
    agent.kill();
    await agent.until('its end', () => agent.of('exited').length > 0);
    expect(alive.filter(isAlive)).toEqual([]);
    const groups = placesOf().flatMap(({ folder }) => readdirSync(folder));
    expect(groups.filter((name) => name.includes(agent.identities[0]?.cookie ?? '?'))).toEqual([]);
  });

  test('has no more memory than it may have', async (context) => {
    if (!limitsHere().memory) {
      context.skip('memory is bounded by control groups, which cannot be made here');
    }
    const fill = `exec "${process.execPath}" -e 'Buffer.alloc(400_000_000, 1); console.log("filled")'`;
    await using open = await scene.agent({ sandbox: 'required' });
    expect(await attempts(open, [['shell', fill]])).toEqual([{ ok: true, got: 'filled\n' }]);
    await using agent = await scene.agent({ sandbox: 'required', maxMemoryBytes: 200_000_000 });
    agent.prompt(1, JSON.stringify([['shell', fill]]));
    await agent.until('an end of either', () => agent.of('result').length + agent.of('exited').length > 0);
    expect(JSON.stringify(agent.of('result'))).not.toContain('filled');
  });

  test('cannot lead the next start of its session out of its home by a link that it leaves there', async () => {
    mkdirSync(join(scene.home, '.claude'));
    writeFileSync(join(scene.home, '.claude', 'settings.json'), '{"of":"the user"}');
    writeFileSync(join(scene.home, '.claude', '.credentials.json'), 'login');
    const target = join(scene.root, 'target');
    mkdirSync(target);
    const sandbox = sandboxOf(scene, anthropicHome);
    const env = { HOME: scene.home, PATH: '/usr/bin:/bin' };
    const opened = (): ReturnType<ReturnType<AgentSandbox['open']>['agent']> =>
      sandbox.open({ session: 'mine', folder: scene.folder }).agent({ command: '/bin/sh', args: [], env });
    const { plan } = opened();
    const own = plan.mounts.find(({ at }) => at === scene.home);
    const ownHome = own !== undefined && 'from' in own ? own.from : '';
    expect(readFileSync(join(ownHome, '.claude', 'settings.json'), 'utf8')).toBe('{"of":"the user"}');
    rmSync(join(ownHome, '.claude'), { recursive: true });
    symlinkSync(target, join(ownHome, '.claude'));
    opened();
    expect(existsSync(join(target, 'settings.json'))).toBe(false);
    expect(readFileSync(join(ownHome, '.claude', 'settings.json'), 'utf8')).toBe('{"of":"the user"}');
  });

  test('finds the login of its program, which it may renew, and its settings, which it may not change for the user', async () => {
    const claude = join(scene.home, '.claude');
    mkdirSync(join(claude, 'skills'), { recursive: true });
    for (const name of ['.credentials.json', 'settings.json', join('skills', 'one'), 'history.jsonl']) {
      writeFileSync(join(claude, name), name);
    }
    chmodSync(join(claude, '.credentials.json'), 0o600);
    const script = [
      `cd ${claude}`,
      'cat .credentials.json settings.json skills/one',
      'cat history.jsonl 2>/dev/null || echo " no history"',
      'echo renewed >.credentials.json',
      'echo changed >settings.json',
      'echo x 2>/dev/null >skills/one || echo "skills are read-only"',
    ].join('\n');
    const said = await inTerminal(sandboxOf(scene, anthropicHome), scene, script);
    expect(said).toBe('.credentials.jsonsettings.jsonskills/one no history\nskills are read-only\n');
    expect(readFileSync(join(claude, '.credentials.json'), 'utf8')).toBe('renewed\n');
    expect(readFileSync(join(claude, 'settings.json'), 'utf8')).toBe('settings.json');
  });

  test.each(agents.filter(({ kind }) => kind === 'program').map(({ name }) => name))(
    'is in it as the program of %s, whatever its protocol is',
    async (name) => {
      const program = join(scene.root, 'program');
      writeFileSync(
        program,
        `#!/bin/sh\ncat ${scene.token} ${scene.key} ../other/notes >seen 2>/dev/null\necho in >>seen\n`,
      );
      chmodSync(program, 0o755);
      for (const [sandbox, seen] of [
        ['off', 'tokenkeynotesin\n'],
        ['required', 'in\n'],
      ] as const) {
        await using agent = await scene.agent({ name, command: program, args: [], sandbox });
        await agent.until('its end', () => agent.of('exited').length > 0);
        expect(readFileSync(join(scene.folder, 'seen'), 'utf8')).toBe(seen);
      }
    },
  );

  test('runs the commands of an ACP agent in the sandbox of that agent', async () => {
    const sandbox = sandboxOf(scene, { files: [], folders: [] });
    const script = `cat ${scene.token} ${scene.key} ../other/notes; echo x >../other/written; echo mine >mine; echo done`;
    expect(await inTerminal(sandbox, scene, `{ ${script}; } 2>/dev/null`)).toBe('done\n');
    expect(existsSync(join(scene.other, 'written'))).toBe(false);
    expect(readFileSync(join(scene.folder, 'mine'), 'utf8')).toBe('mine\n');
  });
});

const sandboxOf = (scene: Scene, needs: HomeNeeds): AgentSandbox =>
  new AgentSandbox({
    bubblewrap,
    dataFolder: scene.data,
    network: 'none',
    readable: [],
    writable: [],
    limits: { processes: null, memoryBytes: null },
    ...needs,
  });

/** The output of a command that the daemon runs for an ACP agent. */
async function inTerminal(sandbox: AgentSandbox, scene: Scene, script: string): Promise<string> {
  const opened = sandbox.open({ session: 'mine', folder: scene.folder });
  const ambient = { HOME: scene.home, PATH: process.env['PATH'] };
  const terminals = terminalsFor(scene.folder, opened, { command: 'agent', ambient });
  const call = (): { readonly call: RpcCall; readonly answered: Promise<unknown> } => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const settle = (value: unknown): boolean => {
      resolve(value);
      return true;
    };
    return { call: { id: 1, method: '', params: {}, result: settle, error: settle }, answered: promise };
  };
  const created = call();
  terminals.create(created.call, { command: '/bin/sh', args: ['-c', script], env: {}, cwd: null, maxBytes: null });
  const answer = (await created.answered) as { readonly terminalId: string };
  const exited = call();
  terminals.waitForExit(exited.call, answer);
  await exited.answered;
  const output = call();
  terminals.output(output.call, answer);
  return ((await output.answered) as { readonly output: string }).output;
}
