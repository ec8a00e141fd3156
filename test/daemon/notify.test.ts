/** The daemon tells the receivers of `notify`, and loads nothing for it where there is none. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cli } from '../support/cli.ts';
import { FakeReceiver } from '../doors/receiver.ts';

describe('notify', () => {
  test('tells of an ended task, over a restart of the daemon', async () => {
    await using receiver = await FakeReceiver.open();
    await using cli = new Cli();
    writeFileSync(
      join(cli.folder, 'signalbox.config.mjs'),
      `export default ${JSON.stringify({ notify: receiver.config })};\n`,
    );
    const up = await cli.up();
    const first = receiver.next();
    await cli.run(['send', '--wait', 'docs', 'one']);
    await first;
    await receiver.down();
    await cli.run(['send', '--wait', 'docs', 'two']);
    up.child.kill('SIGTERM');
    expect((await up.ended).code).toBe(0);
    await receiver.up();
    const second = receiver.next();
    await cli.up();
    await second;
    const listed = await cli.json(['replies', '--state', 'posted']);
    expect(listed['items']).toMatchObject([{ type: 'final', door: 'push:ops' }, { session: 'docs' }]);
    expect(receiver.posts.map(({ text }) => text)).toEqual([
      expect.stringContaining('said: one'),
      expect.stringContaining('said: two'),
    ]);
  });

  test('after a move to another store sends what was due, and nothing that had arrived', async () => {
    await using receiver = await FakeReceiver.open();
    await using cli = new Cli();
    writeFileSync(
      join(cli.folder, 'signalbox.config.mjs'),
      `export default ${JSON.stringify({ notify: receiver.config })};\n`,
    );
    const up = await cli.up();
    const first = receiver.next();
    await cli.run(['send', '--wait', 'docs', 'one']);
    await first;
    await receiver.down();
    await cli.run(['send', '--wait', 'docs', 'two']);
    up.child.kill('SIGTERM');
    expect((await up.ended).code).toBe(0);
    const [file, moved] = [join(cli.folder, 'file'), ['--data', join(cli.folder, 'moved')]];
    expect(await cli.json(['export', file])).toMatchObject({ replies: 2, consumers: 1 });
    await cli.json(['import', file, ...moved]);
    await receiver.up();
    const second = receiver.next();
    await cli.up(moved);
    await second;
    expect(receiver.posts.map(({ text }) => text)).toEqual([
      expect.stringContaining('said: one'),
      expect.stringContaining('said: two'),
    ]);
    const listed = await cli.json(['replies', ...moved]);
    expect(listed['items']).toMatchObject([{ session: 'docs' }, { state: 'posted', attempts: 1 }]);
    expect(receiver.copies).toBe(0);
  });

  test('is checked by `doctor`, and by the start', async () => {
    await using cli = new Cli();
    const target = { on: ['final'], url: 'https://example.org/', secret: 'not base64 !!' };
    writeFileSync(
      join(cli.folder, 'signalbox.config.mjs'),
      `export default ${JSON.stringify({ notify: [target] })};\n`,
    );
    expect((await cli.run(['doctor'])).stdout).toContain('notify[0].secret is not a Standard Webhooks secret');
    const up = await cli.run(['up', '--port', '0']);
    expect([up.code, up.stderr]).toEqual([2, expect.stringContaining('notify[0].secret')]);
  });

  test('is loaded by nothing that the daemon loads at its start', () => {
    const root = new URL('../../', import.meta.url);
    const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
    expect(read('src/daemon/outgoing.ts')).not.toMatch(/^import \{[^}]*\} from '[^']*outbox\/outgoing\.ts'/m);
    expect(read('src/gateways/push/descriptor.ts')).not.toMatch(/^import .* from '\.\/door\.ts'/m);
  });
});
