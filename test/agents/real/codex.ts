/** The real Codex as tests drive it: offline, with a home of its own, against the fake model API. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Model } from '../../../e2e/model/index.ts';
import { startModel } from '../../../e2e/model/index.ts';
import type { CodexDriverOptions } from '../../../src/agents/codex/options.ts';
import { codexDriver } from '../../../src/agents/codex/driver.ts';
import type { DriverSubject } from '../../../src/testing/agents/index.ts';
import type { AgentDriver, AgentHandle } from '../../../src/agents/port.ts';
import { running } from '../players/running.ts';
import { findBinary } from './acp-programs.ts';
import { realPrompts } from './prompts.ts';

/** Null: it is not installed here. */
export const codexBinary = findBinary('codex');
export const missing = 'codex is not installed: set AGENT_BIN_CODEX, or install e2e/clients/ci';

export interface RealCodex extends AsyncDisposable {
  readonly model: Model;
  readonly home: string;
  /** Folder that its sessions work in. */
  readonly folder: string;
  /** The whole environment of the program. */
  readonly env: Readonly<{ [name: string]: string }>;
  /** Text of config.toml for a model API at that address. */
  configuration(url: string): string;
  driver(options?: CodexDriverOptions): AgentDriver;
}

const configuration = (url: string): string => `
model = "fake-model"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "${url}/v1"
wire_api = "responses"
env_key = "FAKE_KEY"
request_max_retries = 1
stream_max_retries = 1
`;

export async function realCodex(): Promise<RealCodex> {
  const model = await startModel();
  const home = mkdtempSync(join(tmpdir(), 'signalbox-codex-'));
  const folder = join(home, 'work');
  mkdirSync(folder);
  writeFileSync(join(home, 'config.toml'), configuration(model.url));
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const env = { PATH: path, HOME: home, CODEX_HOME: home, FAKE_KEY: 'dummy-codex', LANG: 'C.UTF-8' };
  return {
    model,
    home,
    folder,
    env,
    configuration,
    driver: (options = {}) =>
      codexDriver({
        command: codexBinary ?? 'codex',
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

export const exec = (command: string, more: object = {}): string =>
  `[[tool:exec_command:${JSON.stringify({ cmd: command, ...more })}]]`;

/** Allows by itself what begins so, as a task's policy would; everything else is asked. */
export function allowing(driver: AgentDriver, beginning: string): AgentDriver {
  return {
    ...driver,
    start(start) {
      const holder: { handle: AgentHandle | null } = { handle: null };
      const emit: typeof start.emit = (event) => {
        if (event.type === 'permission-requested' && event.action.title.startsWith(beginning)) {
          holder.handle?.respond(event.turn, event.request, { allow: true, note: null });
        } else {
          start.emit(event);
        }
      };
      holder.handle = driver.start({ ...start, emit });
      return holder.handle;
    },
  };
}

/** Tells this run's tools from those of any other. */
const longTool = `sleep 61.${process.pid}`;

export function realCodexSubject(codex: RealCodex): DriverSubject {
  const features = { goals: true, default_mode_request_user_input: true };
  // Codex asks itself to go on with a goal, turn after turn, until it is told that it is reached.
  const reached = '[[tool:update_goal:{"status":"complete"}]] [[text:reached]]';
  codex.model.rule({ when: /Continue working toward the active thread goal/, play: reached });
  const question = { id: 'q', header: 'h', question: 'which?', options: [{ label: 'a', description: 'b' }] };
  const questions = { questions: [{ ...question, options: [...question.options, { label: 'c', description: 'd' }] }] };
  return {
    name: 'codex',
    driver(variant) {
      const driver = codex.driver({ config: { features }, lineMaxBytes: 1024 * 1024 });
      if (variant === 'plain') {
        return allowing(driver, 'sleep');
      }
      if (variant === 'unstartable') {
        return codex.driver({ command: join(codex.home, 'no-such-program') });
      }
      return codex.driver({ startDeadlineMs: 20 });
    },
    prompts: realPrompts({
      // The model hears of the command after 250 ms, and ends its turn.
      background: `${exec('sleep 2', { yield_time_ms: 250 })} [[text:it runs]]`,
      unsolicited: '[[tool:create_goal:{"objective":"work on the goal"}]] [[text:a goal is set]]',
      tool: exec(longTool, { yield_time_ms: 60_000 }),
      ask: `${exec('touch asked.txt')} [[text:done]]`,
      'api-401': '[[status:401:invalid_api_key]]',
      'api-429': '[[status:429:rate_limit_exceeded:1]]',
      'api-500': '[[status:500:server_error]]',
      'api-429-once': '[[flaky:1:429:rate_limit_exceeded:1]]',
      'odd-request': `[[tool:request_user_input:${JSON.stringify(questions)}]] [[text:nobody answered]]`,
    }),
    steers: true,
    resumes: true,
    loses: true,
    rewinds: true,
    reportsUsage: true,
    models: { other: 'other-model' },
    tools: () => running(longTool),
    deadlineMs: 40_000,
  };
}
