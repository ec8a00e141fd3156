/** The agents printed in docs/agent-protocol.md, run as they are printed, through the same contract. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Behaviour, DriverSubject, Unable } from '../../src/testing/agents/index.ts';
import { driverContract } from '../../src/testing/agents/index.ts';
import { processDriver } from '../../src/agents/index.ts';
import { directiveNames } from '../../src/agents/scripted/program/directives.ts';
import { quick } from './subjects.ts';

const page = readFileSync(new URL('../../docs/agent-protocol.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'signalbox-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function printed(language: string, file: string): string {
  const code = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1];
  if (code === undefined) {
    throw new Error(`the page prints no agent in ${language}`);
  }
  const path = join(folder, file);
  writeFileSync(path, code);
  return path;
}

function subject(name: string, command: string, args: readonly string[]): DriverSubject {
  const simple: Unable = { unable: 'the printed agent is a simple one' };
  const able: { readonly [behaviour in Behaviour]?: string } = {
    answer: 'hello from everybody',
    forever: 'word '.repeat(10_000),
  };
  const behaviours: { [behaviour in Behaviour]?: string | Unable } = {};
  return {
    name,
    driver: (variant) => (variant === 'plain' ? processDriver({ ...quick, command, args }) : simple),
    prompts: new Proxy(behaviours, {
      get: (_target, behaviour) => able[behaviour as Behaviour] ?? simple,
    }) as DriverSubject['prompts'],
    steers: simple,
    resumes: simple,
    loses: { unable: 'it names no conversation' },
    rewinds: simple,
    reportsUsage: simple,
    models: simple,
  };
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.each([
  { name: 'node', command: process.execPath, args: [printed('js', 'agent.mjs')], missing: null },
  {
    name: 'python',
    command: 'python3',
    args: [printed('python', 'agent.py')],
    missing: hasPython ? null : 'python3 is not installed here',
  },
])('the printed agent in $name fulfils the contract', ({ name, command, args, missing }) => {
  for (const one of driverContract) {
    const reason = one.skip(subject(name, command, args));
    if (reason !== null) {
      continue;
    }
    test(`${name}: ${one.title}`, async (context) => {
      if (missing !== null) {
        context.skip(missing);
      }
      await one.run(subject(name, command, args));
    });
  }
});

test('the page lists every directive of the scripted agent', () => {
  const unlisted = directiveNames.filter((name) => !page.includes(`[[${name}]]`) && !page.includes(`[[${name}:`));
  expect(unlisted).toEqual([]);
});
