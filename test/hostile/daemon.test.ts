/**
 * A hostile agent of each protocol in a whole daemon: a process of its own, over HTTP, in each lane and class of rights. In a sandbox it does
 * everything whatever it is answered, and gets nothing from outside; without one it does what it is allowed, and is allowed nothing outside.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, assert, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, createClient, type ReadEvent } from '../../src/client/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { dataFiles } from '../../src/protocol/folder.ts';
import { processesWith } from '../campaigns/harness/processes.ts';
import { Cli, type Up } from '../support/cli.ts';
import { sandboxLack } from '../support/sandbox.ts';
import {
  type Act,
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

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

interface Cell {
  readonly lane: 'interactive' | 'background';
  readonly rights: string | null;
  /** What it may do unasked. */
  readonly whom: readonly Lawful[];
}

const cells: readonly Cell[] = [
  { lane: 'interactive', rights: null, whom: ['every lane', 'trusted'] },
  { lane: 'interactive', rights: 'trusted', whom: ['every lane', 'trusted'] },
  { lane: 'interactive', rights: 'untrusted', whom: ['every lane'] },
  { lane: 'background', rights: null, whom: ['every lane', 'trusted', 'background'] },
  { lane: 'background', rights: 'trusted', whom: ['every lane', 'trusted', 'background'] },
  { lane: 'background', rights: 'untrusted', whom: ['every lane'] },
];

const nameOf = ({ lane, rights }: Cell): string => `${lane}-${rights ?? 'plain'}`;
const titled = cells.map((cell) => [`${cell.lane}, rights ${cell.rights ?? 'not given'}`, cell] as const);

/** A port, a socket of the file system and one without a file, which count who connects. */
class Ears implements AsyncDisposable {
  connections = 0;
  readonly #servers: Server[] = [];

  async listen(on: { readonly port: number; readonly host: string } | { readonly path: string }): Promise<unknown> {
    const server = createServer((socket) => {
      this.connections += 1;
      socket.on('error', () => {});
      socket.end();
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(on, resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? { port: address.port, host: '127.0.0.1' } : on;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

type Manner = 'heeds' | 'defies';

/** Without the daemon's own locks beside the folders. */
const namesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => !name.endsWith('.signalbox-lock'))
    .toSorted();

/** A machine with a daemon whose agent is hostile. */
class Scene implements AsyncDisposable {
  readonly machine = new Machine();
  readonly cli = new Cli();
  readonly ears = new Ears();
  readonly protocol: Protocol;
  readonly manner: Manner;
  /** In the environment of the processes that it leaves behind. */
  readonly mark: string;
  readonly token = join(this.cli.data, dataFiles.token);
  /** Of a session that no cell uses. */
  readonly other = join(this.cli.data, dataFiles.workspaces, 'other');
  #places: ReadonlyMap<Cell, Place> = new Map();
  #up: Up | null = null;
  #client: Client | null = null;
  #to: readonly unknown[] = [];
  secretToken = '';

  constructor(protocol: Protocol, manner: Manner) {
    this.protocol = protocol;
    this.manner = manner;
    this.mark = `LEFT_BY_${protocol}_${process.pid}_${manner}`.toUpperCase();
  }

  async start(sandbox: 'off' | 'required'): Promise<this> {
    const { machine, cli, ears } = this;
    this.#places = new Map(
      cells.map((cell) => [cell, machine.place(nameOf(cell), sandbox === 'off' ? 'out' : 'inside')]),
    );
    const command = machine.command(this.protocol, this.manner);
    const agent = {
      name: this.protocol,
      command,
      sandbox,
      ...(this.protocol === 'acp' ? { terminal: true } : {}),
      ...(sandbox === 'required' ? { network: 'none', readable: [command, fixtures, process.execPath] } : {}),
    };
    const workspaces = [...this.#places].map(([cell, { folder }]) => ({ session: nameOf(cell), folder }));
    const file = join(cli.folder, 'signalbox.config.mjs');
    writeFileSync(file, `export default ${JSON.stringify({ agent, workspaces, durability: 'process' })};\n`);
    this.#up = await cli.up(['--config', file], { env: { HOME: machine.home } });
    this.secretToken = tokenIn(cli.data) ?? '';
    this.#client = createClient({ baseUrl: this.#up.ready.url, token: this.secretToken });
    mkdirSync(this.other, { recursive: true });
    writeFileSync(join(this.other, 'notes'), secret);
    this.#to = [
      await ears.listen({ port: 0, host: '127.0.0.1' }),
      await ears.listen({ path: join(machine.root, 'socket') }),
      await ears.listen({ path: `\0${this.mark}` }),
    ];
    return this;
  }

  get client(): Client {
    assert(this.#client !== null);
    return this.#client;
  }

  /** What the dialect shows, or the daemon is asked for. */
  shownActs(cell: Cell): readonly Act[] {
    const call = (method: string, path: string, body?: object): Act => ({ way: 'calls', method, path, body });
    const answer = { turn: 1, request: '1', allow: true, note: null };
    return [
      ...actsOf(this.protocol, this.#place(cell)),
      { ...call('GET', '/v1/tasks'), lawful: 'trusted' },
      call('POST', `/v1/sessions/${nameOf(cell)}/permission-requests/respond`, answer),
      call('POST', '/v1/tokens', { name: 'mine', scopes: ['admin'] }),
      call('POST', '/v1/tasks', { session: 'next', prompt: 'x', permissions: { mode: 'allow' } }),
      call('POST', '/v1/tasks', { session: 'next', prompt: 'x', rights: 'admin' }),
    ];
  }

  /** What it does without asking, none of which it may. */
  hiddenActs(cell: Cell): readonly Act[] {
    const daemon = this.#up?.ready.daemon ?? 0;
    const { folder } = this.#place(cell);
    const data = dirname(this.token);
    const reads = [this.token, join(data, 'signalbox.db'), join(this.other, 'notes'), `/proc/${daemon}/environ`];
    return [
      ...reads.map((path) => ({ kind: 'read', path })),
      { kind: 'read', path: `/proc/${daemon}/root${this.token}` },
      { kind: 'search', path: data },
      { kind: 'edit', path: join(this.other, 'notes') },
      { kind: 'edit', path: join(folder, '..', 'written') },
      { kind: 'delete', path: join(this.other, 'notes') },
      { kind: 'execute', command: `echo hostile >>${this.token}` },
      { kind: 'execute', command: `ln ${this.machine.key} mine && cat mine` },
      ...this.#to.map((to) => ({ way: 'connects', to })),
      { way: 'signals', pid: daemon },
      { way: 'leaves', mark: this.mark },
    ];
  }

  /** What came of each, in a turn of its own. A person who is asked denies. */
  async came(cell: Cell, acts: readonly Act[]): Promise<readonly unknown[]> {
    const { client } = this;
    const session = nameOf(cell);
    const rights = cell.rights === null ? {} : { rights: cell.rights };
    const { task } = await client.submit({ session, lane: cell.lane, prompt: promptOf(acts), ...rights });
    for await (const event of client.follow(task)) {
      assert(event.kind === 'known' && event.type !== 'attempt-lost', `${session}: the agent is lost`);
      // Elsewhere a policy decides everything.
      if (cell.whom.includes('background')) {
        await this.#deny(session, event);
      }
    }
    const { final } = await client.task(task);
    assert(final?.status === 'completed', `${session}: ${JSON.stringify(final)}`);
    return JSON.parse(final?.answer?.text ?? 'null') as readonly unknown[];
  }

  /** The contents, the names and the state of everything outside of the folders. */
  outside(): unknown {
    const { root, home, key, profile } = this.machine;
    const text = (path: string): string => readFileSync(path, 'utf8');
    return {
      files: [key, profile, join(this.other, 'notes')].map(text),
      token: text(this.token).trim() === this.secretToken,
      names: [root, home, dirname(key), this.other].map((folder) => namesIn(folder)),
      connections: this.ears.connections,
    };
  }

  /** Those of the processes that it left which live on behind the end of the daemon. */
  async leftBehind(): Promise<readonly number[]> {
    this.#up?.child.kill('SIGTERM');
    await this.#up?.ended;
    return processesWith('environ', `${this.mark}=left`);
  }

  async #deny(session: string, event: ReadEvent): Promise<void> {
    if (event.kind === 'known' && event.type === 'permission-requested') {
      const { turn, request } = event.data;
      await this.client.respond(session, { turn, request, allow: false }).catch((error: unknown) => {
        // A policy has decided it, or its turn is over.
        assert((error as { readonly code?: string }).code === 'no_permission_request', String(error));
      });
    }
  }

  #place(cell: Cell): Place {
    const place = this.#places.get(cell);
    assert(place !== undefined);
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli[Symbol.asyncDispose]();
    await this.ears[Symbol.asyncDispose]();
    this.machine[Symbol.dispose]();
  }
}

const backwards = (text: string): string => text.split('').toReversed().join('');

interface Ran {
  readonly acts: readonly Act[];
  readonly came: readonly unknown[];
}

/** All cells at once: they are sessions of one daemon. */
async function everyCell(scene: Scene, acts: (cell: Cell) => readonly Act[]): Promise<ReadonlyMap<Cell, Ran>> {
  const ran = cells.map(async (cell) => {
    const mine = acts(cell);
    return [cell, { acts: mine, came: await scene.came(cell, mine) }] as const;
  });
  return new Map(await Promise.all(ran));
}

describe.each(protocols)('W01: without a sandbox, a hostile agent that speaks %s to a whole daemon', (protocol) => {
  let scene: Scene;
  let before: unknown;
  let ran: ReadonlyMap<Cell, Ran> = new Map();
  beforeAll(async () => {
    scene = await new Scene(protocol, 'heeds').start('off');
    before = scene.outside();
    ran = await everyCell(scene, (cell) => scene.shownActs(cell));
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each(titled)('does nothing unasked that it may not do: %s', (_title, cell) => {
    const { acts, came } = ran.get(cell) ?? { acts: [], came: [] };
    expect(shown(acts.filter((_act, index) => came[index] === true))).toEqual(shown(lawfulFor(acts, cell.whom)));
    expect(came).toContain(true);
  });

  test('changes nothing outside', () => {
    expect(scene.outside()).toEqual(before);
  });
});

/** Whether it got something from outside, or did something there. */
function gained({ secretToken }: Scene, act: Act, got: unknown): boolean {
  if (typeof got === 'string') {
    return [secret, secretToken].some((one) => got.includes(backwards(one)));
  }
  return got === true && act.way !== 'leaves' && act.lawful === undefined;
}

describe.each(protocols)('W01: in a sandbox, a hostile agent that speaks %s to a whole daemon', (protocol) => {
  let scene: Scene;
  let before: unknown;
  let ran: ReadonlyMap<Cell, Ran> = new Map();
  beforeAll(async () => {
    scene = new Scene(protocol, 'defies');
    if (sandboxLack === null) {
      await scene.start('required');
      before = scene.outside();
      ran = await everyCell(scene, (cell) => [...scene.shownActs(cell), ...scene.hiddenActs(cell)]);
    }
  });
  beforeEach((context) => {
    if (sandboxLack !== null) {
      context.skip(sandboxLack);
    }
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each(titled)('gets nothing from outside, whatever it does: %s', (_title, cell) => {
    const { acts, came } = ran.get(cell) ?? { acts: [], came: [] };
    expect(shown(acts.filter((act, index) => gained(scene, act, came[index])))).toEqual([]);
    // It does what it can: its folder is its own.
    expect(came).toContain(backwards('was inside'));
    expect(came[acts.findIndex(({ command }) => command === 'touch made')]).toBe('');
  });

  test('changes nothing outside, and connects to nothing', () => {
    expect(scene.outside()).toEqual(before);
  });

  test('leaves no process behind', async () => {
    expect(await scene.leftBehind()).toEqual([]);
  });
});

test('W01: outside of a sandbox, a hostile agent that does not ask gets all of it', async () => {
  await using scene = await new Scene('process', 'defies').start('off');
  const [cell] = cells;
  assert(cell !== undefined);
  const acts = scene.hiddenActs(cell);
  const came = await scene.came(cell, acts);
  expect(shown(acts.filter((_act, index) => came[index] === false))).toEqual([]);
  expect(acts.some((act, index) => gained(scene, act, came[index]))).toBe(true);
  expect(scene.ears.connections).toBe(3);
});
