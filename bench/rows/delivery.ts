/**
 * GitHub deliveries of 10 KB over 32 kept-alive connections: verified, mapped, durably admitted (`power`), answered 202.
 * The one agent is busy with the first of them, so that all others only queue, in 8 sessions. Senders are another process.
 */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, temporaryFolder } from '../harness.ts';
import { startProgram } from '../support/child.ts';
import { secret } from '../support/delivery.ts';
import { writeFileSync } from 'node:fs';

const connections = 32;

export const row: Row = {
  name: 'delivery',
  title: 'GitHub deliveries of 10 KB, verified and durably admitted, per second',
  limit: 'raw node:http and the same HMAC',
  async measure(run: Run): Promise<readonly Figure[]> {
    using folder = temporaryFolder();
    const script = join(folder.path, 'script.json');
    writeFileSync(script, JSON.stringify({ default: '[[silent]]' }));
    await using daemon = await startProgram('daemon', {
      folder: join(folder.path, 'data'),
      settings: {
        durability: 'power',
        github: { secret },
        agent: { name: 'scripted', args: ['--script', script] },
        'limits.maxOpen': 1_000_000,
        'limits.maxOpenPerSource': 1_000_000,
        'limits.maxOpenTasks': 1_000_000,
        'limits.maxAgents': 1,
      },
    });
    await using raw = await startProgram('raw-hook', {});
    await using sender = await startProgram('sender', { bytes: 10_240, repos: 8 });
    const send = async (port: number, count: number): Promise<number> =>
      Number((await sender.ask({ port, connections, count }))['perSecond']);
    const count = run.quick ? 100 : 5_000;
    const pairs = await inTurns(run, {
      limit: () => send(Number(raw.hello['port']), count),
      ours: () => send(Number(new URL(String(daemon.hello['url'])).port), count),
    });
    return [
      compared(pairs, { measure: `${connections} connections`, unit: '/s', goal: { of: 'ratio', atLeast: 0.5 } }),
    ];
  },
};
