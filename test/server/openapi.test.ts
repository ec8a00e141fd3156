/** /openapi.json as other programs use it: a linter, and a generator of clients. What they need is in test/openapi-client. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestExamples } from '../../src/protocol/examples.ts';
import { operations, type Route, routeGroups, routes, validate } from '../../src/protocol/index.ts';
import { type Door, openDoor, token } from '../support/door.ts';

const home = fileURLToPath(new URL('../openapi-client', import.meta.url));
const { resolve } = createRequire(join(home, 'package.json'));
const run = promisify(execFile);

/** The program of a package, run by this Node. */
const program = (path: string, args: readonly string[], cwd: string) =>
  run(process.execPath, [path, ...args], {
    cwd,
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, said: stdout + stderr }),
  );

const programs = {
  redocly: join(dirname(resolve('@redocly/cli/package.json')), 'bin/cli.js'),
  generator: join(dirname(resolve('openapi-typescript/package.json')), 'bin/cli.js'),
  // That of the repository, which is faster; the generator has one of its own.
  tsc: fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url)),
};

let door: Door;
let folder: string;

/** A folder that finds the packages, with the description as the daemon sends it. */
beforeAll(async () => {
  door = await openDoor();
  const cache = join(home, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'client-'));
  const response = await fetch(`${door.url}/openapi.json`);
  writeFileSync(join(folder, 'openapi.json'), await response.text());
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('passes the recommended rules of Redocly without an error or a warning', async () => {
  const lint = (file: string) =>
    program(programs.redocly, ['lint', file, '--extends', 'recommended', '--format', 'json'], folder);
  const { code, said } = await lint('openapi.json');
  expect(said).toContain('"problems": []');
  expect(code).toBe(0);
});

test('gives openapi-typescript a client that submits with three fields, waits, and reads typed events', async () => {
  expect(await program(programs.generator, ['openapi.json', '-o', 'schema.ts'], folder)).toMatchObject({
    code: 0,
  });
  copyFileSync(join(home, 'client.ts'), join(folder, 'client.ts'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const options = {
    strict: true,
    types: ['node'],
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2024',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['client.ts'] }));
  const compiled = await program(programs.tsc, ['-p', '.'], folder);
  expect(compiled).toEqual({ code: 0, said: '' });
  const answer = run(process.execPath, ['client.js', door.url, token], { cwd: folder });
  const turn = await door.box.stage.turn();
  turn.say('Hello, ');
  turn.finish('Hello, world');
  const seen = JSON.parse((await answer).stdout) as { readonly events: readonly (readonly [string, string])[] };
  expect(seen).toMatchObject({ status: 'completed', answer: 'Hello, world', refused: 'unknown_task' });
  expect(seen.events.at(0)).toEqual(['queued', 'background: Say hello']);
  expect(seen.events).toContainEqual(['output', 'Hello, ']);
  expect(seen.events.at(-1)).toEqual(['final', 'completed: Hello, world']);
}, 60_000);

describe('the description', () => {
  test('has each route in one group', () => {
    expect(routeGroups.flatMap((group) => Object.keys(group.routes)).toSorted()).toEqual(operations.toSorted());
  });

  test.each(Object.entries(requestExamples))('has examples that %s accepts', (operation, examples) => {
    const { body }: Route = routes[operation as keyof typeof requestExamples];
    for (const { value } of Object.values(examples)) {
      expect(validate(body ?? {}, value)).toMatchObject({ ok: true });
    }
  });

  test('names the daemon that sent it as its first server', async () => {
    const document = await door.client.openapi();
    expect(document['servers']).toMatchObject([{ url: '/' }, { url: 'http://{host}:{port}' }]);
  });
});
