/** Row S10: a daemon with 50 running turns is told to end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Client, ReadEvent } from '../../../src/client/index.ts';
import { createClient } from '../../../src/client/index.ts';
import { isThere } from '../../../src/cli/demo/child.ts';
import type { Up } from '../../support/cli.ts';
import { Cli } from '../../support/cli.ts';
import { untilEvent } from '../harness/until-event.ts';

const sessions = 50;

const clientOf = (cli: Cli, up: Up): Client =>
  createClient({ baseUrl: up.ready.url, token: readFileSync(join(cli.data, 'token'), 'utf8').trim() });

async function tapeOf(client: Client, task: string): Promise<readonly ReadEvent['type'][]> {
  const types: ReadEvent['type'][] = [];
  for await (const { type } of client.follow(task)) {
    types.push(type);
  }
  return types;
}

test('S10 50 running turns are interrupted: those that drain within the grace lose nothing, and the others follow their policy', async () => {
  await using cli = new Cli();
  const log = join(cli.folder, 'agents.log');
  const env = {
    SIGNALBOX_LIMITS_GRACE_MS: '1000',
    SIGNALBOX_LIMITS_MAX_AGENTS: String(sessions),
    SIGNALBOX_AGENT_LOG: log,
  };
  const first = await cli.up([], { env });
  const before = clientOf(cli, first);
  const policyOf = (index: number): 'retry' | 'fail' => (index % 2 === 0 ? 'retry' : 'fail');
  const running = await Promise.all(
    Array.from({ length: sessions }, async (_, index) => {
      const onLost = policyOf(index);
      // Background work that no grace outlasts, and that ends once it is resumed. Every other pair does not read its interrupt.
      const deaf = index % 4 > 1;
      const prompt = `${deaf ? '[[deaf]]' : ''}[[silent:once]][[text:done]]`;
      const { task } = await before.submit({ session: `s10-${index}`, prompt, lane: 'background', onLost });
      await untilEvent(before, task, 'turn-started');
      return { task, onLost, deaf };
    }),
  );
  const waiting = await before.submit({ session: 's10-0', prompt: '[[text:queued]]', lane: 'background' });
  const agents = new Set(
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly pid: number }).pid),
  );
  expect(agents.size).toBe(sessions);

  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
  expect([...agents].filter(isThere)).toEqual([]);

  const second = await cli.up([], { env });
  const after = clientOf(cli, second);
  const ends = await Promise.all(
    running.map(async ({ task, onLost, deaf }) => {
      const types = await tapeOf(after, task);
      const { status } = await after.task(task);
      expect(types.filter((type) => type === 'final')).toHaveLength(1);
      const how = types.includes('attempt-lost') ? 'lost' : 'not lost';
      return `${deaf ? 'deaf ' : ''}${onLost} ${status} ${how}`;
    }),
  );
  expect(new Set(ends)).toEqual(
    new Set([
      'retry completed not lost',
      'fail completed not lost',
      'deaf retry completed lost',
      'deaf fail failed lost',
    ]),
  );
  expect((await tapeOf(after, waiting.task)).at(-1)).toBe('final');
  second.child.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
}, 180_000);
