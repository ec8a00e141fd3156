/**
 * What a hostile agent tries (`fixtures/asks.mjs`), and the machine on which it does: a home with a key, and sessions whose folders have
 * links that lead out.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('fixtures/asks.mjs', import.meta.url));

/** In each file outside of the folders. Whatever an agent got that has this in it, it did not have by right. */
export const secret = 'as it was';

export const protocols = ['process', 'claude', 'codex', 'acp'] as const;
export type Protocol = (typeof protocols)[number];

/** By whom something may be done unasked. `trusted`: by every task but those of strangers. */
export type Lawful = 'every lane' | 'background' | 'trusted';

/** `way`: the client, or the daemon, is asked to do it. */
export interface Act {
  readonly kind?: string;
  readonly way?: string;
  readonly path?: string;
  readonly lawful?: Lawful;
  readonly [member: string]: unknown;
}

/** Where acts are done. */
export interface Place {
  readonly root: string;
  readonly home: string;
  readonly key: string;
  readonly profile: string;
  /** Of the session. */
  readonly folder: string;
}

export class Machine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'signalbox-asks-'));
  readonly home = join(this.root, 'home');
  readonly key = join(this.home, '.ssh', 'id_rsa');
  readonly profile = join(this.home, '.bashrc');

  constructor() {
    for (const path of [this.key, this.profile]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, secret);
    }
  }

  /**
   * A session's folder. `hardLink`: to the key, or to a file of the folder: what has a second name in a folder is in it for every
   * sandbox.
   */
  place(name: string, hardLink: 'out' | 'inside' = 'out'): Place {
    const { root, home, key, profile } = this;
    const folder = join(root, name);
    mkdirSync(join(folder, 'sub'), { recursive: true });
    for (const path of [join(folder, 'a.txt'), join(folder, 'sub', 'b.txt')]) {
      writeFileSync(path, 'was inside');
    }
    symlinkSync(key, join(folder, 'link'));
    symlinkSync('../home', join(folder, 'out'));
    symlinkSync('../new', join(folder, 'dangling'));
    linkSync(hardLink === 'out' ? key : join(folder, 'sub', 'b.txt'), join(folder, 'hard'));
    writeFileSync(join(folder, 'sh'), '#!/bin/sh\ntouch "$0.ran"\n', { mode: 0o755 });
    return { root, home, key, profile, folder };
  }

  /**
   * The hostile agent as one file: the arguments of a driver come first, so it is a script of its own. `defies`: it asks, and does
   * each act whatever the answer is.
   */
  command(protocol: Protocol, manner: 'heeds' | 'defies' = 'heeds'): string {
    const command = join(this.root, `${protocol}-${manner}`);
    const args = [program, protocol, manner];
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${args.join("' '")}'\n`, { mode: 0o755 });
    return command;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What every protocol can ask for. */
function commonActs({ folder, key, profile }: Place): readonly Act[] {
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
const ownActs: { readonly [P in Protocol]: (place: Place) => readonly Act[] } = {
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

export const actsOf = (protocol: Protocol, place: Place): readonly Act[] => [
  ...commonActs(place),
  ...ownActs[protocol](place),
];

/** As a turn of the agent gets them. */
export const promptOf = (what: unknown): string => Buffer.from(JSON.stringify(what)).toString('base64');

/** Those that may be done unasked. */
export const lawfulFor = (acts: readonly Act[], whom: readonly Lawful[]): readonly Act[] =>
  acts.filter(({ lawful }) => lawful !== undefined && whom.includes(lawful));

export const shown = (acts: readonly Act[]): readonly string[] => acts.map((act) => JSON.stringify(act));
