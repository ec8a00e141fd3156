/** Real daemons that hang, and Ctrl-C: `supervision/2`, `supervision/3` and `supervision/7`, rows S01 and S08. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { platformLacks } from '../../../src/supervise/index.ts';
import { hangCases } from './cases.ts';
import { HungDaemon } from './daemon.ts';

const graceMs = 1_500;
const dumpMs = 3_000;
const termMs = 1_000;
/** Loaded machines stretch what a process does by itself; a hang would be minutes. */
const slackMs = 5_000;

describe.runIf(process.platform === 'linux')('the main loop hangs', () => {
  test('nothing is missing here that these tests need', () => {
    expect(platformLacks()).toEqual([]);
  });

  for (const { name, block, how } of hangCases.filter(({ long, atOnce }) => long !== true && atOnce !== true)) {
    if (how === null) {
      continue;
    }
    test(`S01 ${name}: reported with its stack, ended by one Ctrl-C with all its agents`, async () => {
      await using box = await new HungDaemon({ block, graceMs, hangMs: 1_000 }).ready();
      await box.work(1);
      box.hang();
      const [line] = await box.saying(/^\{.*"class":"main-loop-blocked".*$/m);
      expect(JSON.parse(line)).toMatchObject({ level: 50, msg: expect.stringMatching(/blocked for/) as string });
      const [report] = box.reports();
      expect(report).toMatchObject({ class: 'main-loop-blocked', trigger: 'watch', main: { how } });
      expect(report?.main.lagMs).toBeGreaterThanOrEqual(1_000);
      if (how === 'js') {
        expect(report?.stack?.[0]).toMatchObject({
          function: 'block',
          url: expect.stringMatching(/signalbox\.config\.mjs$/) as string,
        });
      } else {
        expect([report?.stack, report?.noStack]).toEqual([null, 'no stack: native']);
      }
      expect(report?.threads[0]).toMatchObject({ tid: box.daemon });

      const pressed = box.press();
      const { code, at } = await box.ended;
      expect([code, box.survivors()]).toEqual([130, []]);
      expect(at - pressed).toBeGreaterThanOrEqual(graceMs);
      expect(at - pressed).toBeLessThan(graceMs + dumpMs + termMs + slackMs);
      expect(box.reports().map(({ trigger }) => trigger)).toContain('end');
    });
  }

  test('S01 the second Ctrl-C ends everything at once', async () => {
    await using box = await new HungDaemon({ block: 'while (true);', graceMs: 600_000 }).ready();
    await box.work(2);
    box.hang();
    box.press();
    await box.saying(/"trigger"|"class":"main-loop-blocked"/);
    const pressed = box.press();
    const { code, at } = await box.ended;
    expect([code, box.survivors()]).toEqual([130, []]);
    expect(at - pressed).toBeLessThan(200 + slackMs);
  });

  test('S01 a configuration that blocks while it is loaded is reported, and Ctrl-C ends it', async () => {
    await using box = new HungDaemon({ block: 'while (true);', graceMs, atOnce: true });
    await box.saying(/"class":"main-loop-blocked"/);
    box.adopt();
    expect(box.reports()).toMatchObject([{ stack: expect.arrayContaining([inFunction('block')]) as unknown }]);
    box.press('SIGTERM');
    await box.saying(/once more, and everything ends at once/);
    box.press('SIGTERM');
    expect([(await box.ended).code, box.survivors()]).toEqual([143, []]);
  });

  test('S01 a worker thread in a native call keeps no daemon that has closed', async () => {
    const { block } = hangCases.find(({ how }) => how === null) ?? { block: '' };
    await using box = await new HungDaemon({ block, graceMs: 1 }).ready();
    await box.work(1);
    box.hang();
    await box.saying(/^is stuck/);
    const pressed = box.press();
    const { code, at } = await box.ended;
    expect([code, box.survivors()]).toEqual([0, []]);
    expect(at - pressed).toBeLessThan(4_000 + slackMs);
  });

  test('S08 the launcher is killed: the watchdog thread ends a blocked daemon and all its agents', async () => {
    await using box = await new HungDaemon({ block: 'while (true);', graceMs: 600_000 }).ready();
    await box.work(3);
    box.hang();
    await box.saying(/"class":"main-loop-blocked"/);
    expect(box.census().length).toBeGreaterThanOrEqual(6);
    const killed = box.press('SIGKILL');
    await box.ended;
    while (box.survivors().length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(performance.now() - killed).toBeLessThan(500 + slackMs);
  });

  test('S08 the daemon is killed: the launcher ends its agents, says so, and fails', async () => {
    await using box = await new HungDaemon({ block: '', graceMs: 600_000 }).ready();
    await box.work(3);
    process.kill(box.daemon, 'SIGKILL');
    const { code } = await box.ended;
    expect([code, box.survivors()]).toEqual([1, []]);
    expect(JSON.parse(box.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: {
        code: 'daemon_lost',
        message: expect.stringMatching(/was ended by SIGKILL; \d of its processes were ended behind it/) as string,
      },
    });
  });

  test('a stopped daemon raises no alarm when it continues, and still sees a real block', async () => {
    await using box = await new HungDaemon({ block: 'while (true);', graceMs, hangMs: 1_000 }).ready();
    process.kill(box.daemon, 'SIGSTOP');
    await new Promise((resolve) => spawn('sleep', ['3']).once('exit', resolve));
    process.kill(box.daemon, 'SIGCONT');
    const client = await box.client();
    await client.health();
    expect(box.reports()).toEqual([]);
    box.hang();
    await box.saying(/"class":"main-loop-blocked"/);
    expect(box.reports()).toHaveLength(1);
  });

  test('a stopped daemon is ended by Ctrl-C as well', async () => {
    await using box = await new HungDaemon({ block: '', graceMs }).ready();
    await box.work(1);
    process.kill(box.daemon, 'SIGSTOP');
    box.press();
    await box.saying(/once more, and everything ends at once/).catch(() => {});
    expect([(await box.ended).code, box.survivors()]).toEqual([130, []]);
  });

  test.each([
    ['js', 'const end = performance.now() + 2_500; while (performance.now() < end);', null],
    ['native', "child.execSync('sleep 2.5');", 'block'],
  ] as const)('a block in %s that ends by itself is completed in its report', async (how, block, back) => {
    await using box = await new HungDaemon({ block, graceMs, hangMs: 1_000 }).ready();
    box.hang();
    await box.saying(/"class":"main-loop-blocked"/);
    const client = await box.client();
    await client.health();
    let report = box.reports()[0];
    while (report?.resumed === null) {
      await client.health();
      report = box.reports()[0];
    }
    expect(report).toMatchObject({ main: { how } });
    expect(report?.resumed?.afterMs).toBeGreaterThan(2_000);
    expect(report?.resumed?.stack ?? []).toEqual(
      back === null ? [] : (expect.arrayContaining([inFunction(back)]) as unknown),
    );
    box.press();
    expect((await box.ended).code).toBe(0);
  });
});

const inFunction = (name: string): unknown => expect.objectContaining({ function: name });
