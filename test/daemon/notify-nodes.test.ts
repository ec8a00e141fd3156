/** Three real daemons on one real Postgres server, whose answers go to one receiver. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killNode, newDatabase, startNode } from '../campaigns/nodes/world.ts';
import { FakeReceiver } from '../doors/receiver.ts';
import { Cli } from '../support/cli.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(['autovacuum=off', 'fsync=off']);
});
afterAll(() => server.stop());

const tasksEach = 8;

test(
  'G05 of several daemons one sends each message, also where one of them is killed',
  { timeout: 90_000 },
  async () => {
    await using receiver = await FakeReceiver.open();
    const lost = (request: number): boolean => request % 5 === 0;
    receiver.fault = (request) => (lost(request) ? { kind: 'lost' } : null);
    const store = await newDatabase(server, 'notify_nodes');
    const clis = ['alpha', 'beta', 'gamma'].map(() => new Cli());
    try {
      const nodes = [];
      for (const [at, cli] of clis.entries()) {
        const config = `export default ${JSON.stringify({ notify: receiver.config })};\n`;
        writeFileSync(join(cli.folder, 'signalbox.config.mjs'), config);
        const log = join(cli.folder, 'agents.log');
        nodes.push(await startNode(cli, `node-${at}`, { store, ttlMs: 2_000, log, graceMs: 1_000 }));
      }
      const [first, ...others] = nodes;
      const submitted = await Promise.all(
        nodes.flatMap(({ client }, node) =>
          Array.from({ length: tasksEach }, (_, n) => client.submit({ session: `s:${node}:${n}`, prompt: `p ${n}` })),
        ),
      );
      while (receiver.posts.length < tasksEach) {
        await receiver.next();
      }
      if (first !== undefined) {
        killNode(first);
      }
      while (receiver.posts.length < submitted.length) {
        await receiver.next();
      }
      const tasks = submitted.map(({ task }) => task);
      expect(receiver.posts.map(({ task }) => task).toSorted(byText)).toEqual(tasks.toSorted(byText));
      const again = Array.from({ length: receiver.requests }, (_, at) => at + 1).filter(lost).length;
      // Of what the killed one had under way, at most all came twice.
      expect(receiver.copies).toBeLessThanOrEqual(again + 8);
      expect((await others[0]?.client.replies({ limit: 200 }))?.items.length).toBe(tasks.length);
    } finally {
      await Promise.all(clis.map((cli) => cli[Symbol.asyncDispose]()));
    }
  },
);

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
