/** The player of Claude Code in both dialects, as a subject of the contract. */
import { join } from 'node:path';
import type { ClaudeDriverOptions } from '../../../src/agents/claude/options.ts';
import { claudeDriver } from '../../../src/agents/claude/driver.ts';
import type { DriverSubject, Unable } from '../../../src/testing/agents/index.ts';
import type { AgentDriver } from '../../../src/agents/port.ts';
import { running } from './running.ts';
import type { Disposable } from '../subjects.ts';
import { quick } from '../subjects.ts';
import type { Dialect } from './claude-frames.ts';
import { playerCommand } from './command.ts';

export interface Played extends Disposable<DriverSubject> {
  driver(options?: ClaudeDriverOptions): AgentDriver;
}

export function claudePlayer(dialect: Dialect): Played {
  const state = playerCommand('claude.ts');
  const player = playerCommand('claude.ts', dialect, state.folder);
  const seconds = `61.${process.pid}${dialect === 'modern' ? 1 : 2}`;
  const driver = (options: ClaudeDriverOptions = {}): AgentDriver =>
    claudeDriver({ ...quick, command: player.command, env: { PLAYER_TOOL: seconds }, ...options });
  const endless = '[[forever]]';
  const named: Unable = { unable: 'a receipt names its request: a second one answers nothing' };
  const noPid: Unable = { unable: 'what tools say has no pid; their ends are asserted by the cases with tools' };
  const silent: Unable = { unable: 'without lifecycle events nobody knows whether a message was taken' };
  const noReceipt: Unable = { unable: 'there are no receipts in this dialect' };
  const subject: DriverSubject = {
    name: `claude, ${dialect}`,
    driver(variant) {
      if (variant === 'unstartable') {
        return driver({ command: join(state.folder, 'no-such-program') });
      }
      if (variant === 'never-ready') {
        return driver({ env: { PLAYER_MUTE: '1' }, startDeadlineMs: 300 });
      }
      return driver();
    },
    prompts: {
      answer: 'hello',
      forever: endless,
      'ack-late': `${endless} [[ack:late]]`,
      'ack-never': `${endless} [[ack:never]]`,
      'ack-twice': named,
      'ack-after-result': `${endless} [[ack:after-result]]`,
      'ack-before-result': `${endless} [[ack:before-result]]`,
      'ack-with-result': `${endless} [[ack:with-result]]`,
      'ack-none': dialect === 'modern' ? `${endless} [[ack:none]]` : noReceipt,
      'no-result': `${endless} [[no-result]]`,
      deaf: `${endless} [[deaf]]`,
      'split-result': '[[split-result]]',
      merged: '[[merged]]',
      empty: '[[empty]]',
      fail: '[[api-400]]',
      'result-twice': '[[result-twice]]',
      die: '[[die]]',
      'die-half': '[[die-half]]',
      'hang-up': '[[hang-up]]',
      garbage: '[[garbage]]',
      'huge-line': '[[huge-line]]',
      stderr: '[[stderr]]',
      unsolicited: '[[unsolicited]]',
      background: '[[background]]',
      stubborn: '[[stubborn]]',
      blocked: '[[blocked]]',
      grandchild: noPid,
      'grandchild-outside': noPid,
      history: '[[history]]',
      tool: '[[tool]]',
      ask: '[[ask]]',
      'ask-withdrawn': '[[ask-withdrawn]]',
      hang: '[[hang]]',
      silent: '[[silent]]',
      'api-400': '[[api-400]]',
      'api-401': '[[api-401]]',
      'api-429': '[[api-429]]',
      'api-500': '[[api-500]]',
      'api-529': '[[api-529]]',
      'api-drop':
        dialect === 'old' ? '[[api-drop]]' : { unable: 'this version asks again without a stream, and is answered' },
      'api-429-once': '[[flaky]]',
      'odd-request': '[[odd-request]]',
    },
    steers: dialect === 'modern' ? true : silent,
    steerable: '[[tool-first]]',
    resumes: true,
    loses: true,
    rewinds: { unable: 'Claude Code takes no turn back' },
    reportsUsage: true,
    models: { other: 'claude-sonnet-5' },
    commands: ['/clear', '/compact now', '!touch made', '@/etc/passwd and @a.txt'],
    tools: () => running(`sleep ${seconds}`),
  };
  return {
    subject,
    driver,
    async [Symbol.asyncDispose]() {
      player[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}
