/** The unit tests on a mutant: which of them fails first. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.ts';
import type { MutatedCore } from './files.ts';
import { environmentOf } from './files.ts';
import type { StageResult } from './stage.ts';
import { killed, passed } from './stage.ts';

/** Without a mutant they take about 25 seconds on a quiet machine. */
const secondsMax = 240;

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** `only`: test files; empty: all that `vitest.config.ts` names. */
export async function runUnitTests(
  core: MutatedCore,
  signal: AbortSignal,
  only: readonly string[] = [],
): Promise<StageResult> {
  const report = join(core.directory, 'unit-tests.json');
  const args = [
    vitest,
    'run',
    '--config',
    config,
    '--bail',
    '1',
    '--reporter',
    'json',
    '--outputFile',
    report,
    ...only,
  ];
  const ended = await runChild(args, { env: environmentOf(core), seconds: secondsMax, signal });
  if (ended.code === 0) {
    return passed();
  }
  if (ended.code === null) {
    return killed(`no end within ${secondsMax} s`);
  }
  if (!existsSync(report)) {
    throw new Error(`vitest did not report: ${ended.stderr.slice(-500)}`);
  }
  return killed(firstFailure(JSON.parse(readFileSync(report, 'utf8')) as VitestReport));
}

function firstFailure({ testResults }: VitestReport): string {
  for (const { name, message, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) {
      return failed.fullName;
    }
    if (message !== '') {
      return `${name.split('/').at(-1)}: ${message.split('\n')[0]}`;
    }
  }
  throw new Error('vitest failed, and no test did');
}
