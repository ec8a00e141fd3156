/** Hang reports from outside: the command line, the launcher's door, HTTP. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HangReport } from '../../../src/protocol/index.ts';
import { HangReportSchema, validate } from '../../../src/protocol/index.ts';
import { reportSocketPath } from '../../../src/supervise/launcher/report-socket.ts';
import { ended, program } from '../../support/cli.ts';
import type { Ran } from '../../support/cli.ts';
import { HungDaemon } from './daemon.ts';

const signalbox = (box: HungDaemon, ...args: readonly string[]): Promise<Ran> =>
  ended(
    spawn(process.execPath, [program, ...args, '--data', box.data], {
      env: { PATH: process.env['PATH'], HOME: box.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

const linux = process.platform === 'linux';

test.runIf(linux)(
  'doctor --live requests a report of a healthy daemon, and of one whose main loop is blocked',
  async () => {
    await using box = await new HungDaemon({ block: 'while (true);', graceMs: 600_000, hangMs: 600_000 }).ready();
    await box.work(1, '[[forever:50]]');
    expect(statSync(reportSocketPath(box.data)).mode & 0o777).toBe(0o600);
    const well = await signalbox(box, 'doctor', '--live');
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(well.stdout).toMatch(/^the main loop runs; 1 live sessions/);
    expect(well.stdout).toMatch(/hung-0: in a turn \(running\), turn 1, pid \d+, last heard/);

    box.hang();
    // Not a hang yet by its own measure: what is asked for is taken all the same.
    let blocked: HangReport;
    do {
      const { stdout } = await signalbox(box, 'doctor', '--live', '--json');
      blocked = JSON.parse(stdout) as HangReport;
    } while (blocked.class !== 'main-loop-blocked');
    expect(validate(HangReportSchema, blocked)).toMatchObject({ ok: true });
    expect(blocked).toMatchObject({ trigger: 'requested', main: { how: 'js' } });
    expect(blocked.stack?.[0]).toMatchObject({ function: 'block' });
    expect(blocked.snapshot?.sessions).toMatchObject([{ session: 'hung-0', turn: 1 }]);

    const list = await signalbox(box, 'hangs');
    expect(list.stdout.split('\n')[1]).toMatch(new RegExp(`main-loop-blocked +${blocked.id} +the main loop has been`));
    const shown = await signalbox(box, 'hangs', blocked.id);
    expect(shown.stdout).toMatch(
      /Stack of the main loop, innermost first:\n {2}block \(file:.*signalbox\.config\.mjs:/,
    );
    box.press('SIGKILL');
    await box.ended;
    // Files outlive the daemon.
    expect((await signalbox(box, 'hangs', '--json')).stdout).toContain(blocked.id);
  },
);

test.runIf(linux)('doctor names a stopped daemon as stopped, and makes up no report', async () => {
  await using box = await new HungDaemon({ block: '', graceMs: 1 }).ready();
  while (!existsSync(reportSocketPath(box.data))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.kill(box.daemon, 'SIGSTOP');
  const { code, stderr } = await signalbox(box, 'doctor', '--live');
  process.kill(box.daemon, 'SIGCONT');
  expect([code, stderr]).toEqual([6, expect.stringMatching(/does not answer: it is stopped \(kill -CONT \d+/)]);
});

test.runIf(linux)('reports are made, listed and shown over HTTP, and an unknown report is not found', async () => {
  await using box = await new HungDaemon({ block: '', graceMs: 1 }).ready();
  const client = await box.client();
  const taken = await client.takeHang();
  expect(taken).toMatchObject({ class: 'no-hang', trigger: 'requested', process: { pid: box.daemon } });
  expect(taken.process.launcherMs).toBeLessThan(30_000);
  expect(await client.hangs()).toMatchObject({ items: [{ id: taken.id }] });
  expect(await client.hang(taken.id)).toEqual(taken);
  for (const id of ['no-such', '../token', '..%2ftoken']) {
    await expect(client.hang(id)).rejects.toMatchObject({ code: 'unknown_hang' });
  }
  const mode = (path: string): number => statSync(path).mode & 0o777;
  const folder = join(box.data, 'hangs');
  expect([mode(folder), mode(join(folder, `${taken.id}.json`))]).toEqual([0o700, 0o600]);
  const nobody = await signalbox(box, 'hangs', 'nothing');
  expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('There is no hang report "nothing"')]);
});
