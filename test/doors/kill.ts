/** The sender is killed at each of the five points, and started again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { outgoingFaultPoints } from '../../src/runtime/outbox/outgoing.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Platform } from './platform.ts';

const program = fileURLToPath(new URL('fixtures/sender.ts', import.meta.url));
const count = 3;

export function killedAtEachPoint(open: () => Promise<Platform>): void {
  test.each(outgoingFaultPoints)(
    'G05 loses no answer and doubles none where its daemon is killed at %s',
    async (point) => {
      await using platform = await open();
      const folder = mkdtempSync(join(tmpdir(), 'signalbox-door-'));
      try {
        const start = (tasks: number, at: string) =>
          spawn(process.execPath, [program, folder, JSON.stringify(platform.config), String(tasks), at], {
            stdio: ['pipe', 'ignore', 'inherit'],
          });
        expect(await once(start(count, point), 'exit')).toEqual([null, 'SIGKILL']);
        const again = start(0, '');
        while (platform.posts.length < count) {
          await platform.next();
        }
        again.stdin.end();
        expect(await once(again, 'exit')).toEqual([0, null]);
        // A turn that was cut off is taken again, with a note before its text.
        expect(platform.posts.map(({ text }) => text.split('\n').at(-1) ?? '').toSorted(byText)).toEqual([
          'answer 1',
          'answer 2',
          'answer 3',
        ]);
        const store = openSqliteStore({ path: join(folder, 'signalbox.db') });
        expect(store.outbox.figures().rows.posted).toBe(count);
        store.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
