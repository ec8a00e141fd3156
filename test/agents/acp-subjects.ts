/** The ACP driver with its player, in the manner of each profile, as subjects of the contract. */
import { rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcpDriverOptions } from '../../src/agents/acp/options.ts';
import type { ProfileName } from '../../src/agents/acp/profiles/index.ts';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import type { DriverSubject } from '../../src/testing/agents/index.ts';
import { playerCommand } from './players/command.ts';
import { running } from './players/running.ts';
import { played, quick } from './subjects.ts';

interface AcpPlayer extends Disposable {
  /** A driver of that player; `flags` are the player's. */
  driver(options?: AcpDriverOptions, ...flags: readonly string[]): ReturnType<typeof acpDriver>;
  /** The folder of its sessions. */
  readonly folder: string;
  readonly subject: DriverSubject;
}

export function acpPlayer(profile: ProfileName): AcpPlayer {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-acp-'));
  const state = join(folder, 'state');
  const work = mkdtempSync(join(folder, 'work-'));
  const made: Disposable[] = [];
  const driver: AcpPlayer['driver'] = (options = {}, ...flags) => {
    const program = playerCommand('acp.ts', '--profile', profile, '--state', state, ...flags, '--');
    made.push(program);
    return acpDriver({ ...quick, profile, cwd: work, command: program.command, ...options });
  };
  const always = driver();
  return {
    driver,
    folder: work,
    subject: subjectOf(profile, (variant) => {
      if (variant === 'unstartable') {
        return acpDriver({ ...quick, profile, command: join(folder, 'no-such-program') });
      }
      return variant === 'never-ready' ? driver({ startDeadlineMs: 500 }, '--no-ready') : always;
    }),
    [Symbol.dispose]() {
      for (const one of made) {
        one[Symbol.dispose]();
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const noAck = { unable: 'the protocol has no ack: the response to the prompt is the boundary' };
const endless = '[[forever]]';

function subjectOf(profile: ProfileName, driver: DriverSubject['driver']): DriverSubject {
  const steers = profile === 'claude-agent-acp' || profile === 'codex-acp';
  return {
    name: `acp (${profile})`,
    driver,
    prompts: {
      ...played(endless),
      'ack-late': noAck,
      'ack-never': noAck,
      'ack-twice': noAck,
      'ack-after-result': noAck,
      'ack-before-result': noAck,
      'ack-with-result': noAck,
      'ack-none': noAck,
      'split-result': '[[stream:3,1]] [[split]]',
      merged: '[[merged]] [[stream:5,1]]',
      fail: '[[api:500]]',
      unsolicited: { unable: 'the protocol has no turn that nobody asked for; what is said outside of one is noted' },
      background: { unable: 'the protocol has no word for it' },
      grandchild: `[[grandchild]] ${endless}`,
      'grandchild-outside': `[[grandchild:own]] ${endless}`,
      'ask-withdrawn': '[[ask-withdrawn]]',
    },
    steers: steers ? true : { unable: 'it is not declared by this program' },
    resumes: true,
    loses: true,
    rewinds: { unable: 'the protocol takes no turn back' },
    reportsUsage: true,
    models:
      profile === 'copilot' ? { unable: 'it offers no choice of models with a key of one’s own' } : { other: 'other' },
    commands: ['/clear', '  /compact now', '$help', '!touch made', '@/etc/passwd and @a.txt'],
    tools: () => running(`sleep 61.${process.pid}`),
  };
}
