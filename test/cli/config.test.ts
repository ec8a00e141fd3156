/** The configuration: where it comes from, which source wins, and what is said when it is wrong. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { aliasResolver } from '../../src/daemon/daemon.ts';
import { describeConfig } from '../../src/daemon/config/described.ts';
import { chooseAgent } from '../../src/daemon/agent.ts';
import type { ChosenAgent } from '../../src/daemon/agent.ts';
import type { AgentConfig } from '../../src/protocol/config.ts';
import { loadConfigFile } from '../../src/daemon/config/file.ts';
import { openFolder } from '../../src/daemon/data-folder.ts';
import { installedAgents } from '../../src/agents/registry.ts';
import { formerNames, otherVariables, variables, warningsOf } from '../../src/daemon/config/environment.ts';
import type { ConfigSources, DaemonConfig } from '../../src/daemon/config/resolve.ts';
import { resolveConfig } from '../../src/daemon/config/resolve.ts';
import { findDataFolder, findConfig } from '../../src/cli/data-folder.ts';
import { exitCodes } from '../../src/core/error-codes.ts';
import { formerKeys } from '../../src/protocol/former-names.ts';
import { Cli } from '../support/cli.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Every file has a name of its own: Node loads a module once. */
let count = 0;
function file(text: string): string {
  count += 1;
  const path = join(folder, `config-${count}.ts`);
  writeFileSync(path, text);
  return path;
}

test('a configuration that awaits for ever is abandoned with an error', async () => {
  const endless = file('await new Promise(() => {}); export default {};');
  await expect(loadConfigFile(endless, 20)).rejects.toMatchObject({
    code: 'bad_config',
    message: expect.stringContaining('it is not over after 20 ms') as string,
  });
});

describe('the data folder', () => {
  const mode = (path: string): number => statSync(path).mode & 0o777;

  test('is closed to others, whether `up` or a person made it, unless it has another purpose', () => {
    const [made, byHand, project] = [join(folder, 'a', 'b'), join(folder, 'hand'), join(folder, 'project')];
    openFolder(made);
    for (const path of [byHand, project]) {
      mkdirSync(path);
      chmodSync(path, 0o755);
    }
    writeFileSync(join(project, 'package.json'), '{}');
    openFolder(byHand);
    openFolder(project);
    expect([made, byHand, project].map(mode)).toEqual([0o700, 0o700, 0o755]);
  });

  test('that cannot be made is refused, also where Node would retry for ever', () => {
    const inTheWay = join(folder, 'file');
    writeFileSync(inTheWay, '');
    const places = [inTheWay, join(inTheWay, 'x'), ...(process.platform === 'linux' ? ['/proc/signalbox'] : [])];
    for (const place of places) {
      expect(() => openFolder(place), place).toThrow(expect.objectContaining({ code: 'store_failed' }) as Error);
    }
  });
});

const resolve = (sources: Partial<ConfigSources>): Promise<DaemonConfig> =>
  resolveConfig({ file: null, environment: {}, flags: [], ...sources });

async function refusal(sources: Partial<ConfigSources>): Promise<AppError> {
  const error: unknown = await resolve(sources).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) {
    return error;
  }
  throw new Error(`it was taken, or failed otherwise: ${String(error)}`);
}

describe('the configuration file', () => {
  test.each([
    ['export default { limits: { maxOpne: 1 } }', /limits\.maxOpne is not known here\. Did you mean `maxOpen`\?/],
    ['export default { listn: {} }', /listn is not known here\. Did you mean `listen`\?/],
    ['export default { listen: { port: "7070" } }', /listen\.port must be an integer, not a string/],
    ['export default { listen: { port: 70700 } }', /listen\.port must be at most 65535/],
    ['export default { durability: "powr" }', /durability must be one of "power", "process"\. Did you mean "power"\?/],
    ['export default { agent: {} }', /agent\.name is missing/],
    ['export default { agents: { a: { name: "claude" } } }', /agents\.a\.name is not known here/],
    ['export default { github: { secret: "short" } }', /github\.secret must have at least 8 characters/],
    ['export default { hooks: { github: {} } }', /hooks\.github/],
    ['export default { dataDir: "/tmp/x" }', /dataDir is not known here\. The data folder is chosen by --data/],
    ['export default 5', /the configuration must be an object, not a number/],
    ['export default () => ({})', /the configuration must be an object, not a function/],
    ['export const config = {}', /has no default export/],
    ['throw new TypeError("no luck")', /could not be loaded: TypeError: no luck/],
  ])('is refused: %s', async (text, message) => {
    const path = file(text);
    const error = await refusal({ file: path });
    expect(error.code).toBe('bad_config');
    expect(error.message).toContain(path);
    expect(error.message).toMatch(message);
    expect(error.hint).not.toBe('');
  });

  test.each(Object.entries(formerKeys))(
    'with the former key %s is refused with its present name, %s',
    async (former, present) => {
      const [section = '', key = ''] = former.split('.');
      const error = await refusal({ file: file(`export default { ${section}: { ${key}: 1 } }`) });
      expect(error.message).toContain(`  ${former} is now ${present}`);
      const [, known = ''] = present.split('.');
      await expect(resolve({ file: file(`export default { ${section}: { ${known}: 1 } }`) })).resolves.toBeDefined();
    },
  );

  test('with several wrong places is refused with all of them, also beside a value that JSON cannot express', async () => {
    const beside = await refusal({ file: file('export default { a: 1, limits: { maxOpen: 1e400 } }') });
    expect(beside.message).toMatch(/in 2 places/);
    expect(beside.message).toMatch(/limits\.maxOpen must be an integer, not Infinity/);
    expect(beside.message).toMatch(/a is not known here/);
    const error = await refusal({ file: file('export default { a: 1, b: 2, listen: { port: -1 } }') });
    expect(error.message).toMatch(/in 3 places/);
    expect(error.message.match(/^ {2}\S/gm)).toHaveLength(3);
  });

  test('gets defaults for what it leaves out', async () => {
    const config = await resolve({ file: file("export default { limits: { maxOpen: 12 }, aliases: { a: 'b' } }") });
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 7070 },
      limits: { maxOpen: 12, maxPassedOver: 3 },
    });
    expect(config).toMatchObject({
      durability: 'power',
      logLevel: 'info',
      agent: { name: 'scripted' },
      sources: {},
    });
  });

  test('that does not exist is refused', async () => {
    expect((await refusal({ file: join(folder, 'none.ts') })).message).toMatch(/there is no file .*none\.ts/);
  });
});

describe('the configuration file, loaded by Node,', () => {
  /** What `doctor` says of a configuration; it reads it as `up` does. */
  async function judged(text: string): Promise<{ readonly state: string; readonly what: string }> {
    await using cli = new Cli();
    const { stdout } = await cli.run(['doctor', '--json', '--config', file(text)]);
    const { checks } = JSON.parse(stdout) as {
      readonly checks: readonly { name: string; state: string; what: string }[];
    };
    const found = checks.find(({ name }) => name === 'configuration');
    if (found === undefined) {
      throw new Error(stdout);
    }
    return found;
  }

  test('may be TypeScript, typed by defineConfig of this very Signalbox, in a project that has none', async () => {
    const text = `
      import { defineConfig, type ConfigFile } from 'signalbox';
      const limits: ConfigFile['limits'] = { maxOpen: 12 };
      export default defineConfig({ listen: { port: 0 }, limits });
    `;
    expect(await judged(text)).toMatchObject({ state: 'ok' });
  });

  test.each([
    ['export default {', /could not be loaded: SyntaxError/],
    ['import "nothing-of-that-name"; export default {}', /could not be loaded: .*nothing-of-that-name/],
    ['enum A { B } export default { a: A.B }', /could not be loaded: .*enum/],
  ])('is reported: %s', async (text, message) => {
    expect(await judged(text)).toMatchObject({ state: 'missing', what: expect.stringMatching(message) as string });
  });
});

describe('the configuration', () => {
  test('is merged from defaults, file, environment and flags, in rising order', async () => {
    const path = file(
      'export default { listen: { port: 1, host: "::1" }, limits: { maxOpen: 1 }, durability: "process" }',
    );
    const environment = {
      SIGNALBOX_LISTEN_PORT: '2',
      SIGNALBOX_LIMITS_MAX_OPEN: '2',
      SIGNALBOX_GITHUB_SECRET: 'a long secret',
    };
    const flags = [{ written: '--port', path: ['listen', 'port'], value: 3 }];
    const config = await resolve({ file: path, environment, flags });
    expect(config).toMatchObject({
      listen: { port: 3, host: '::1' },
      limits: { maxOpen: 2, maxAgents: 16 },
      durability: 'process',
      sources: { github: { secret: 'a long secret' } },
    });
  });

  test('treats an empty variable as unset', async () => {
    expect((await resolve({ environment: { SIGNALBOX_LISTEN_PORT: '' } })).listen.port).toBe(7070);
  });

  test.each(['', '\n', ' '])('refuses an empty secret in a variable: %j', async (text) => {
    const error = await refusal({ environment: { SIGNALBOX_GITHUB_SECRET: text } });
    expect([error.code, error.message]).toEqual(['bad_config', 'SIGNALBOX_GITHUB_SECRET is empty']);
  });

  test.each([
    [{ SIGNALBOX_LISTEN_PORT: 'many' }, /SIGNALBOX_LISTEN_PORT: listen\.port must be an integer, not a string/],
    [{ SIGNALBOX_LISTEN_PORT: '70700' }, /SIGNALBOX_LISTEN_PORT: listen\.port must be at most 65535/],
    [{ SIGNALBOX_DURABILITY: 'none' }, /SIGNALBOX_DURABILITY: durability must be one of/],
  ])('refuses %j with the name of the variable', async (environment, message) => {
    expect((await refusal({ environment })).message).toMatch(message);
  });

  test('gives each key its own variable, named after the key', () => {
    const names = variables.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'SIGNALBOX_LISTEN_HOST',
        'SIGNALBOX_LIMITS_HOLD_LIMIT_MS',
        'SIGNALBOX_LOG_LEVEL',
        'SIGNALBOX_AGENT_NAME',
      ]),
    );
    expect(new Set([...names, ...otherVariables]).size).toBe(names.length + otherVariables.length);
  });

  test('reports a misspelt variable, and ignores a foreign one', () => {
    const told = warningsOf({ SIGNALBOX_LISTEN_PROT: '1', SIGNALBOX_DATA: 'x', SIGNALBOX_COOKIE: 'y', PATH: 'z' });
    expect(told).toEqual(['SIGNALBOX_LISTEN_PROT is not known; did you mean SIGNALBOX_LISTEN_PORT?']);
  });

  test.each(Object.entries(formerNames))('warns of the variable %s, which is now %s', (former, present) => {
    expect(warningsOf({ [former]: '1' })).toEqual([`${former} is now ${present}`]);
    expect(variables.map(({ name }) => name).concat(otherVariables)).toContain(present);
    expect(variables.map(({ name }) => name).concat(otherVariables)).not.toContain(former);
  });

  test('knows the former variables of former keys', () => {
    expect(formerNames).toMatchObject({
      SIGNALBOX_LIMITS_ASK_MS: 'SIGNALBOX_LIMITS_PERMISSION_MS',
      SIGNALBOX_NODE: 'SIGNALBOX_DAEMON_ID',
    });
  });
});

describe('the daemon', () => {
  test('follows aliases, and refuses a ring of them', () => {
    const resolveKey = aliasResolver({ a: 'b', b: 'c', constructor: 'd' });
    expect(['a', 'b', 'c', 'constructor', 'toString'].map(resolveKey)).toEqual(['c', 'c', 'c', 'd', 'toString']);
    expect(() => aliasResolver({ a: 'b', b: 'a' })).toThrow(/a → b → a is a cycle/);
  });
});

describe('the agent of a configuration', () => {
  const choose = (agent: AgentConfig, env: { [name: string]: string } = {}): Promise<ChosenAgent> =>
    chooseAgent(agent, { folder, startMs: 1000, env: { PATH: folder, ...env }, cwd: folder });

  function executable(name: string): string {
    const path = join(folder, name);
    writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
    return path;
  }

  test.each([
    [{ name: 'scriptd' }, /no agent "scriptd"/, /`scripted`/],
    [{ name: 'toString' }, /no agent "toString"/, /Known: scripted, process/],
    [{ name: 'Gemini CLI' }, /no agent/, /`gemini`/],
    [{ name: 'process' }, /agent\.command is missing/, /agent-protocol/],
    [{ name: 'process', command: 'x', model: 'm' }, /agent\.model is not for the agent process/, /claude/],
    [{ name: 'scripted', command: 'x' }, /agent\.command/, /process/],
    [{ name: 'scripted', model: 'x' }, /agent\.model is not for the agent scripted/, /./],
    [
      { name: 'process', command: 'x', terminal: true },
      /agent\.terminal is not for the agent process/,
      /take it: gemini/,
    ],
    [{ name: 'worker' }, /agent\.module is missing/, /default export/],
    [{ name: 'worker', module: 'none.ts' }, /there is no file .*none\.ts/, /./],
    [{ name: 'function', module: 'x.ts', model: 'm' }, /agent\.model is not for/, /claude/],
    [{ name: 'worker', module: 'x.ts', command: 'x' }, /agent\.command is not for the agent worker/, /process/],
    [{ name: 'function' }, /agent\.module is missing/, /default export/],
    [{ name: 'function', module: 'x.ts', args: [] }, /agent\.args is not for the agent function/, /process/],
    [{ name: 'function', module: 'none.ts' }, /there is no file .*none\.ts/, /./],
  ])('is refused: %j', async (agent, message, hint) => {
    await expect(choose(agent)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  test('may be a program: its own, one from the PATH, or one by a path from the working folder', async () => {
    executable('my-agent');
    for (const command of ['my-agent', './my-agent', join(folder, 'my-agent')]) {
      const { driver, standIn } = await choose({ name: 'process', command, provider: 'acme' });
      expect([driver.name, driver.provider, standIn]).toEqual([command, 'acme', false]);
    }
    await expect(choose({ name: 'process', command: 'no-agent' })).rejects.toMatchObject({
      code: 'agent_not_found',
      message: 'agent.command: there is no program no-agent',
    });
  });

  test('may be a module, whose default export is checked before anything starts', async () => {
    const path = file("export default async function* (prompt) { yield 'you said: ' + prompt; }");
    const { driver } = await choose({ name: 'function', module: path, provider: 'acme' });
    expect([driver.name, driver.provider]).toEqual(['function', 'acme']);
    await expect(choose({ name: 'function', module: file('export default 5') })).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(/has no function as its default export/) as string,
    });
  });

  test('named by a flag or a variable ignores the settings that the file has for another one', async () => {
    const path = file("export default { agent: { name: 'process', command: 'x', provider: 'p' } }");
    const flag = (value: string) => [{ written: '--agent', path: ['agent', 'name'], value }];
    expect((await resolve({ file: path, flags: flag('scripted') })).agent).toEqual({ name: 'scripted' });
    expect((await resolve({ file: path, flags: flag('process') })).agent).toMatchObject({ command: 'x' });
    const environment = { SIGNALBOX_AGENT_NAME: 'process', SIGNALBOX_AGENT_COMMAND: 'y', SIGNALBOX_AGENT_MODEL: 'm' };
    const other = file("export default { agent: { name: 'scripted', args: ['--x'] } }");
    expect((await resolve({ file: other, environment })).agent).toEqual({ name: 'process', command: 'y', model: 'm' });
  });

  test('is one of several by name, the first of which is the usual one', async () => {
    const path = file("export default { agents: { fast: { kind: 'claude', model: 'haiku' }, codex: {} } }");
    const { agents, agent, oneAgent } = await resolve({ file: path });
    expect(agents).toEqual({ fast: { name: 'claude', model: 'haiku' }, codex: { name: 'codex' } });
    expect([agent, oneAgent]).toEqual([{ name: 'claude', model: 'haiku' }, false]);
    const flags = [{ written: '--agent', path: ['agent', 'name'], value: 'codex' }];
    expect(await refusal({ file: path, flags })).toMatchObject({
      hint: expect.stringContaining('agents: {') as string,
    });
    const wrong = [
      ['{ agents: {} }', /`agents` names no agent/],
      ["{ agents: { a: {} }, agent: { name: 'codex' } }", /both `agent` and `agents`/],
      ["{ agents: { a: {} }, sessions: [{ match: '*', agent: 'b' }] }", /sessions\.0\.agent: there is no agent "b"/],
    ] as const;
    for (const [text, message] of wrong) {
      expect((await refusal({ file: file(`export default ${text}`) })).message).toMatch(message);
    }
    const one = await resolve({ file: file("export default { agent: { name: 'codex' } }") });
    expect([one.agents, one.oneAgent]).toEqual([{ codex: { name: 'codex' } }, true]);
  });

  test('is listed with the source of each value, and without its secrets', async () => {
    const path = file(
      "export default { agent: { name: 'codex', env: { KEY: 'hide me' } }, github: { secret: 'eight characters' }, limits: { maxOpen: 5 } }",
    );
    const items = await describeConfig({ file: path, environment: { SIGNALBOX_LIMITS_MAX_OPEN: '7' }, flags: [] });
    const of = (key: string): unknown => items.find((one) => one.key === key);
    expect(of('limits.maxOpen')).toEqual({ key: 'limits.maxOpen', value: 7, from: 'SIGNALBOX_LIMITS_MAX_OPEN' });
    expect(of('agent.name')).toEqual({ key: 'agent.name', value: 'codex', from: path });
    expect(of('listen.port')).toEqual({ key: 'listen.port', value: 7070, from: 'default' });
    expect(of('agent.env.KEY')).toEqual({ key: 'agent.env.KEY', value: '(hidden)', from: path });
    expect(JSON.stringify(items)).not.toMatch(/hide me|eight characters/);
    await expect(
      describeConfig({ file: file('export default { listn: {} }'), environment: {}, flags: [] }),
    ).rejects.toThrow(/listn/);
  });

  test('gets no variable of Signalbox', async () => {
    const wrong = file("export default { agent: { name: 'scripted', passEnv: ['SIGNALBOX_TOKEN'] } }");
    expect((await refusal({ file: wrong })).message).toMatch(/agent\.passEnv/);
  });

  test.each(installedAgents)(
    '$name is found on the PATH or by its variable, or reported with how to install it',
    async ({ name: agent, program: { command, variable, install } }) => {
      await expect(choose({ name: agent })).rejects.toMatchObject({
        code: 'agent_not_found',
        message: expect.stringContaining(`there is no program ${command} on the PATH`) as string,
        hint: expect.stringMatching(new RegExp(`^${install}, or name its file with ${variable}`)) as string,
      });
      const wrong = { [variable]: join(folder, 'none') };
      await expect(choose({ name: agent }, wrong)).rejects.toMatchObject({
        message: `${variable}: there is no program ${join(folder, 'none')}`,
      });
      const mine = { [variable]: executable('my-own') };
      executable(command);
      for (const env of [{}, mine]) {
        const { driver, standIn } = await choose({ name: agent, provider: 'acme' }, env);
        expect([driver.name, driver.provider, standIn]).toEqual([agent, 'acme', false]);
      }
    },
  );

  test('acp is any program that speaks the protocol, and needs a command', async () => {
    await expect(choose({ name: 'acp' })).rejects.toMatchObject({ message: 'agent.command is missing' });
    executable('my-acp');
    expect((await choose({ name: 'acp', command: 'my-acp' })).driver.name).toBe('acp');
  });

  test('that is not installed makes `up --agent` say how to install it, and make nothing', async () => {
    await using cli = new Cli();
    const ran = await cli.run(['up', '--port', '0', '--agent', 'gemini'], { env: { PATH: '/nowhere' } });
    expect([ran.code, ran.stdout]).toEqual([exitCodes.usage, '']);
    expect(ran.stderr).toMatch(/Gemini CLI is not installed.*\n.*npm install --global @google\/gemini-cli/);
    const { existsSync } = await import('node:fs');
    expect(existsSync(join(cli.data, 'signalbox.db'))).toBe(false);
  });
});

describe('the location of the data folder', () => {
  const ask = (asked: Partial<Parameters<typeof findDataFolder>[0]>) =>
    findDataFolder({ data: null, config: null, env: {}, cwd: folder, ...asked });

  test('comes from --data, else SIGNALBOX_DATA, else the place beside a configuration, else the user’s default', () => {
    const env = { SIGNALBOX_DATA: 'from-env', XDG_DATA_HOME: '/xdg' };
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    expect(ask({ env: { XDG_DATA_HOME: '/xdg' } })).toMatchObject({ why: 'user' });
    if (process.platform === 'linux') {
      expect(ask({ env: { XDG_DATA_HOME: '/xdg' } }).folder).toBe('/xdg/signalbox');
      expect(ask({ env: { XDG_DATA_HOME: 'relative' } }).folder).toMatch(/\.local\/share\/signalbox$/);
    }
    writeFileSync(join(folder, 'signalbox.config.ts'), '');
    const cwd = join(folder, 'deep', 'er');
    expect(findConfig(cwd, {})).toBe(join(folder, 'signalbox.config.ts'));
    expect(ask({ cwd, env: { XDG_DATA_HOME: '/xdg' } })).toEqual({
      folder: join(folder, '.signalbox'),
      flag: '',
      why: 'beside-config',
    });
    expect(ask({ cwd, env }).folder).toBe(join(cwd, 'from-env'));
    expect(ask({ cwd, env, data: 'a b' })).toMatchObject({ folder: join(cwd, 'a b'), flag: " --data 'a b'" });
    const named = ask({ config: 'deep/other.ts' });
    expect(named).toMatchObject({
      folder: join(folder, 'deep', '.signalbox'),
      flag: ` --data ${join(folder, 'deep', '.signalbox')}`,
    });
  });

  test('belongs to a project with a configuration, and is kept out of version control', async () => {
    await using cli = new Cli();
    writeFileSync(join(cli.folder, 'signalbox.config.ts'), "export default { logLevel: 'silent' } satisfies object;\n");
    const env = { SIGNALBOX_DATA: '' };
    const up = await cli.up([], { env });
    expect(up.ready).toMatchObject({
      folder: join(cli.folder, '.signalbox'),
      config: join(cli.folder, 'signalbox.config.ts'),
    });
    mkdirSync(join(cli.folder, 'sub'));
    expect((await cli.run(['send', 'x', 'hello', '--wait'], { env, cwd: join(cli.folder, 'sub') })).code).toBe(
      exitCodes.ok,
    );
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(join(cli.folder, '.signalbox', '.gitignore'), 'utf8')).toBe('*\n');
    up.child.kill('SIGTERM');
    expect((await up.ended).code).toBe(exitCodes.ok);
  });

  test('stays empty when a wrong configuration stops `up`', async () => {
    await using cli = new Cli();
    writeFileSync(join(cli.folder, 'signalbox.config.ts'), 'export default { listen: { prot: 1 } };\n');
    const ran = await cli.run(['up', '--port', '0']);
    expect([ran.code, ran.stdout]).toEqual([exitCodes.usage, '']);
    expect(ran.stderr).toMatch(/listen\.prot is not known here\. Did you mean `port`\?/);
    const { existsSync } = await import('node:fs');
    expect(existsSync(cli.data)).toBe(false);
  });
});
