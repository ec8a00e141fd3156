/**
 * Records the fixtures of the Claude driver: the driver itself talks to the real program, and what passes between them is kept.
 *
 *     node test/agents/record/claude.ts [--only answer,asked] [--out FOLDER]
 *
 * Written is `test/agents/fixtures/claude/<version>/<scenario>.ndjson`. AGENT_BIN_CLAUDE names another version's binary.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { programOptions } from '../../../src/agents/claude/options.ts';
import { controlRequest } from '../../../src/agents/claude/messages.ts';
import { AgentProbe } from '../../../src/testing/agents/index.ts';
import type { Scenario } from '../real/claude-scenarios.ts';
import { countedIds, scenarios } from '../real/claude-scenarios.ts';
import { claudeBinary, missing, realClaude } from '../real/claude.ts';
import { Recording } from './recorder.ts';
import { thinTranscript } from './thin.ts';
import type { About } from './tee.ts';

/** Taken by a conversation that is recorded, so that it can be resumed in a test. */
const earlierId = 'eeeeeeee-0000-4000-8000-aaaaaaaaaaaa';

async function record(name: string, { about, run }: Scenario, program: Program, out: string): Promise<void> {
  await using claude = await realClaude();
  const told: About = {
    program: 'claude',
    version: program.version,
    about,
    command: program.command,
    out: join(out, `${name}.ndjson`),
  };
  const file = join(claude.home, 'about.json');
  writeFileSync(file, JSON.stringify(told));
  const recorded = join(claude.home, 'recorded-claude');
  const tee = fileURLToPath(new URL('tee.ts', import.meta.url));
  writeFileSync(recorded, `#!/bin/sh\nexec '${process.execPath}' '${tee}' '${file}' "$@"\n`);
  chmodSync(recorded, 0o755);
  const agents: AgentProbe[] = [];
  try {
    await run({
      modern: program.modern,
      begin(options = {}, conversation = null) {
        const driver = claude.driver({ ...options, ids: countedIds(), command: recorded, closeGraceMs: 15_000 });
        const agent = new AgentProbe(driver, { conversation, deadlineMs: 60_000 });
        agents.push(agent);
        return agent;
      },
      async earlier(prompt) {
        await using agent = new AgentProbe(claude.driver({ command: program.command, ids: startingWith(earlierId) }), {
          deadlineMs: 60_000,
        });
        await agent.ready();
        agent.prompt(1, prompt);
        await agent.result(1);
        agent.close();
        await agent.exited();
        return earlierId;
      },
    });
  } finally {
    for (const agent of agents) {
      await agent[Symbol.asyncDispose]();
    }
  }
  thinTranscript(told.out);
}

/** How it refuses to start: recorded without the driver, which would start another one in its place. */
async function recordRefusals(program: Program, out: string): Promise<void> {
  await using claude = await realClaude();
  const refused = async (
    name: string,
    about: string,
    kind: 'fresh' | 'resumed',
    conversation: string,
  ): Promise<void> => {
    const { args = [], env = {} } = programOptions({ ambient: {} }, { kind, conversation }, null, null);
    await using recording = new Recording({
      program: 'claude',
      version: program.version,
      about,
      command: program.command,
      args,
      env: { ...env, ...claude.env },
      cwd: claude.folder,
    });
    recording.send(controlRequest(countedIds()(), { subtype: 'initialize' }));
    await recording.ended;
    recording.save(join(out, `${name}.ndjson`));
    thinTranscript(join(out, `${name}.ndjson`));
  };
  const other = 'eeeeeeee-0000-4000-8000-bbbbbbbbbbbb';
  await refused('refused-unknown', 'A conversation is to be resumed that it does not know.', 'resumed', other);
  await using agent = new AgentProbe(claude.driver({ command: program.command, ids: startingWith(earlierId) }));
  await agent.ready();
  agent.prompt(1, '[[text:one]]');
  await agent.result(1);
  agent.close();
  await agent.exited();
  await refused('refused-taken', 'A fresh conversation is to have an id that is taken.', 'fresh', earlierId);
}

function startingWith(id: string): () => string {
  const ids = countedIds('eeeeeeee');
  let first: string | null = id;
  return () => {
    const next = first ?? ids();
    first = null;
    return next;
  };
}

interface Program {
  readonly command: string;
  readonly version: string;
  readonly modern: boolean;
}

const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } });
if (claudeBinary === null) {
  throw new Error(missing);
}
const version = execFileSync(claudeBinary, ['--version'], { encoding: 'utf8' }).split(' ')[0]?.trim() ?? 'unknown';
const program: Program = { command: claudeBinary, version, modern: version !== '2.1.197' };
const out = values.out ?? fileURLToPath(new URL(`../fixtures/claude/${version}`, import.meta.url));
const wanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name);
for (const [name, scenario] of Object.entries(scenarios)) {
  if (!wanted(name) || (!program.modern && scenario.modern !== undefined)) {
    continue;
  }
  process.stderr.write(`${name}\n`);
  await record(name, scenario, program, out);
}
if (wanted('refused')) {
  await recordRefusals(program, out);
}
