/** What npm publishes: every page that a text of the program names, and types that another strict project compiles against. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, sourcesUnder } from './files.ts';

let folder: string;
let files: ReadonlySet<string>;

const must = (run: ReturnType<typeof spawnSync>): string => {
  expect(run.status, `${String(run.stdout)}${String(run.stderr)}`).toBe(0);
  return String(run.stdout);
};

/** A project with the packed Signalbox in its node_modules. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse(must(spawnSync('npm', pack, { cwd: root, encoding: 'utf8' }))) as readonly {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  files = new Set(packed?.files.map(({ path }) => path));
  const installed = join(folder, 'node_modules', 'signalbox');
  mkdirSync(installed, { recursive: true });
  must(spawnSync('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', installed, '--strip-components=1']));
  symlinkSync(join(root, 'node_modules', '@cfworker'), join(folder, 'node_modules', '@cfworker'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pages in a text, as `docs/NAME.md`. */
const pagesIn = (text: string): readonly string[] => text.match(/\bdocs\/[a-z/-]+\.md/g) ?? [];

describe('the package holds', () => {
  const named = sourcesUnder('src').flatMap((path) =>
    pagesIn(readFileSync(join(root, path), 'utf8')).map((page) => `${path} ${page}`),
  );

  test('every page that an error, a hint, a help text or a comment names', () => {
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((line) => !files.has(line.split(' ')[1] ?? ''))).toEqual([]);
  });

  test('every page that README names', () => {
    const pages = pagesIn(readFileSync(join(root, 'README.md'), 'utf8'));
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.filter((page) => !files.has(page))).toEqual([]);
  });

  test('no test and no source', () => {
    expect([...files].filter((path) => /^(?:src|test|check|sim|bench|e2e)\//.test(path))).toEqual([]);
  });
});

/** Reads events as a user of the package does. */
const reader = `
import { createClient, type ReadEvent } from 'signalbox/client';
import type {
  Actor, BoundedText, Cost, EventType, FileDiff, Lane, OutputPart, PlanEntry, TaskStatus, TaskView, ToolPart, ToolStatus,
  TurnFailure, TurnReport, Usage, WhenBusy,
} from 'signalbox/protocol';

const tokens = ({ inputTokens, outputTokens }: Usage): number => inputTokens + outputTokens;
const lines = (diffs: readonly FileDiff[]): readonly string[] => diffs.map(({ path }) => path);
const textOf = (part: OutputPart): string => {
  switch (part.kind) {
    case 'text':
    case 'thinking':
      return part.text;
    case 'tool': {
      const tool: ToolPart = part;
      const status: ToolStatus = tool.status;
      return \`\${tool.name} \${status} \${lines(tool.diffs ?? []).join()}\`;
    }
    default:
      return part.kind;
  }
};
export function show(event: ReadEvent): string {
  if (event.kind === 'unknown') {
    return event.name;
  }
  const type: EventType = event.type;
  if (event.type === 'output') {
    return textOf(event.data.part);
  }
  if (event.type === 'final') {
    const status: TaskStatus = event.data.status;
    return status;
  }
  return type;
}
export type Read = [Actor, BoundedText, Cost, Lane, PlanEntry, TaskView, TurnFailure, TurnReport, WhenBusy];
export const client = createClient({ baseUrl: 'http://127.0.0.1:7070' });
export async function work(): Promise<string> {
  await using hold = await client.hold('acme/app', { prompt: 'work' }, { leaseMs: 10_000 });
  const { text, outcome } = await hold.turn('first');
  await hold.finish({ text });
  return outcome;
}
export { tokens };
`;

/** What the compiler says of the files, in a strict project with no types of Node. */
function compile(names: readonly string[]): { readonly status: number | null; readonly said: string } {
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: [],
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: names }));
  const { status, stdout } = spawnSync('npx', ['tsc', '-p', folder], { cwd: root, encoding: 'utf8' });
  return { status, said: stdout };
}

describe('the types of the package', () => {
  test('compile in a strict project that reads events and holds a session', () => {
    writeFileSync(join(folder, 'reader.ts'), reader);
    expect(compile(['reader.ts'])).toEqual({ status: 0, said: '' });
  });

  test('refuse a misspelt field of an event', () => {
    writeFileSync(join(folder, 'misspelt.ts'), reader.replace('event.data.status', 'event.data.state'));
    expect(compile(['misspelt.ts']).said).toMatch(/misspelt\.ts.*'state' does not exist/);
  });
});
