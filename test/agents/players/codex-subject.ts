/** The Codex driver with the player, for the contract: what the player is told for each behaviour. */
import { join } from 'node:path';
import type { CodexDriverOptions } from '../../../src/agents/codex/options.ts';
import { codexDriver } from '../../../src/agents/codex/driver.ts';
import type { DriverSubject } from '../../../src/testing/agents/index.ts';
import type { AgentDriver } from '../../../src/agents/port.ts';
import type { Disposable } from '../subjects.ts';
import { played, quick } from '../subjects.ts';
import { playerCommand } from './command.ts';
import { running } from './running.ts';

interface Played extends Disposable<DriverSubject> {
  /** The driver with the player; `flags` of the player. */
  driver(options?: CodexDriverOptions, ...flags: readonly string[]): AgentDriver;
}

/** The player's long tools: their own command line, and theirs alone. */
const longTool = `sleep 61.${process.pid}`;

export function codexSubject(): Played {
  const made: { [Symbol.dispose](): void }[] = [];
  const driver = (options: CodexDriverOptions = {}, ...flags: readonly string[]): AgentDriver => {
    const player = playerCommand('./codex.ts', ...flags);
    made.push(player);
    return codexDriver({ ...quick, command: player.command, cwd: player.folder, ...options });
  };
  const state = playerCommand('./codex.ts');
  made.push(state);
  const plain = driver({}, '--state', join(state.folder, 'state'));
  const neverReady = driver({ startDeadlineMs: 500 }, '--no-ready');
  const notHere = { unable: 'the dialect has no word for it' };
  const endless = '[[forever]]';
  const subject: DriverSubject = {
    name: 'codex, played',
    driver(variant) {
      if (variant === 'unstartable') {
        return codexDriver({ ...quick, command: join(state.folder, 'no-such-program') });
      }
      return variant === 'never-ready' ? neverReady : plain;
    },
    prompts: {
      ...played(endless),
      'ack-late': `${endless} [[ack:late:30]]`,
      'ack-never': `${endless} [[ack:never]]`,
      'ack-twice': { unable: 'a second response answers no call' },
      'ack-after-result': `${endless} [[ack:after:20]]`,
      'ack-before-result': `${endless} [[ack:before:30]]`,
      'ack-with-result': `${endless} [[merged:end]]`,
      'ack-none': notHere,
      'split-result': '[[stream:3,1]] [[split]]',
      merged: '[[stream:5,1]] [[merged]]',
      fail: '[[api:400]]',
      unsolicited: '[[text:a]] [[unsolicited]]',
      background: '[[text:a]] [[background]]',
      grandchild: { unable: 'what a tool tells holds no pid here; see the cases with tools' },
      'grandchild-outside': { unable: 'what a tool tells holds no pid here; see the cases with tools' },
      'ask-withdrawn': '[[ask:withdrawn]] [[text:done]]',
      'odd-request': '[[odd]] [[text:answered]]',
    },
    steers: true,
    resumes: true,
    loses: true,
    rewinds: true,
    reportsUsage: { unable: 'the player counts nothing; see the recorded turns' },
    models: { other: 'other-model' },
    commands: ['/compact', '$a-skill now', 'cost: $a and $a-skill', '!touch made', '@/etc/passwd'],
    tools: () => running(longTool),
  };
  return {
    subject,
    driver,
    async [Symbol.asyncDispose]() {
      for (const one of made) {
        one[Symbol.dispose]();
      }
    },
  };
}
