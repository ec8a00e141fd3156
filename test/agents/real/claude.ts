/** The real Claude Code as tests drive it: offline, with a configuration of its own, against the fake model API. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Model } from '../../../e2e/model/index.ts';
import { startModel } from '../../../e2e/model/index.ts';
import type { ClaudeDriverOptions } from '../../../src/agents/claude/options.ts';
import { claudeDriver } from '../../../src/agents/claude/driver.ts';
import type { DriverSubject } from '../../../src/testing/agents/index.ts';
import type { AgentDriver } from '../../../src/agents/port.ts';
import { findBinary } from './acp-programs.ts';
import { allowing } from './codex.ts';
import { running } from '../players/running.ts';
import { realPrompts } from './prompts.ts';

/** Null: it is not installed here. */
export const claudeBinary = findBinary('claude');
export const missing = 'Claude Code is not installed: set AGENT_BIN_CLAUDE, or install e2e/clients/more';

export interface RealClaude extends AsyncDisposable {
  readonly model: Model;
  readonly home: string;
  /** Folder that its sessions work in. */
  readonly folder: string;
  /** All that the program needs beside what the driver sets. */
  readonly env: Readonly<{ [name: string]: string }>;
  driver(options?: ClaudeDriverOptions): AgentDriver;
}

export async function realClaude(): Promise<RealClaude> {
  const model = await startModel();
  const home = mkdtempSync(join(tmpdir(), 'signalbox-claude-'));
  const folder = join(home, 'work');
  mkdirSync(folder);
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, 'config'),
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'dummy-claude-key',
    IS_SANDBOX: '1',
    LANG: 'C.UTF-8',
  };
  return {
    model,
    home,
    folder,
    env,
    driver: (options = {}) =>
      claudeDriver({
        command: claudeBinary ?? 'claude',
        cwd: folder,
        ambient: {},
        ...options,
        env: { ...env, ...options.env },
      }),
    async [Symbol.asyncDispose]() {
      await model[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export const bash = (command: string, more: object = {}): string =>
  `[[tool:Bash:${JSON.stringify({ command, description: 'as the test wants it', ...more })}]]`;

/** A command that lasts, and is known from those of any other run by its arguments. Claude Code refuses a plain `sleep`. */
const lasting = `tail -f /dev/null -s 61.${process.pid}`;
export function realClaudeSubject(claude: RealClaude): DriverSubject {
  return {
    name: 'claude',
    driver(variant) {
      if (variant === 'unstartable') {
        return claude.driver({ command: join(claude.home, 'no-such-program') });
      }
      if (variant === 'never-ready') {
        return claude.driver({ startDeadlineMs: 20 });
      }
      return allowing(allowing(claude.driver({ lineMaxBytes: 1024 * 1024 }), 'tail'), 'timeout');
    },
    prompts: realPrompts({
      unsolicited: `${bash('timeout 1 tail -f /dev/null', { run_in_background: true })} [[text:it runs]]`,
      background: `${bash('timeout 1 tail -f /dev/null', { run_in_background: true })} [[text:it runs]]`,
      tool: bash(lasting),
      ask: `${bash('touch asked.txt')} [[text:done]]`,
    }),
    steers: true,
    steerable: `${bash('timeout 1 tail -f /dev/null')} [[slow:5000,5]]`,
    resumes: true,
    loses: true,
    rewinds: { unable: 'Claude Code takes no turn back' },
    reportsUsage: true,
    models: { other: 'claude-sonnet-5' },
    tools: () => running(lasting),
    deadlineMs: 40_000,
  };
}
