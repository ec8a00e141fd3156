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

describe.runIf(process.platform === 'linux')('a daemon whose main loop hangs', () => {
  test('is tested on a platform that lacks nothing', () => {
    expect(platformLacks()).toEqual([]);
  });

  for (const { name, block, how } of hangCases.filter(({ long, atOnce }) => long !== true && atOnce !== true)) {
    if (how === null) {
      continue;
    }
    test(`S01 is reported with its stack, and ended by one Ctrl-C with all its agents: ${name}`, async () => {
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

  test('S01 ends everything at the second Ctrl-C', async () => {
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

  test('S01 is reported when its configuration blocks while it is loaded, and Ctrl-C ends it', async () => {
    await using box = new HungDaemon({ block: 'while (true);', graceMs, atOnce: true });
    await box.saying(/"class":"main-loop-blocked"/);
    box.adopt();
    expect(box.reports()).toMatchObject([{ stack: expect.arrayContaining([inFunction('block')]) as unknown }]);
    box.press('SIGTERM');
    await box.saying(/once more, and everything ends at once/);
    box.press('SIGTERM');
    expect([(await box.ended).code, box.survivors()]).toEqual([143, []]);
  });

  test('S01 ends in spite of a worker thread in a native call once it has closed', async () => {
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

  test('S08 is ended with all its agents by the watchdog thread when the launcher is killed', async () => {
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

  test('S08 has its agents ended by the launcher, which reports it and fails, when the daemon is killed', async () => {
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

  test('raises no alarm when it continues after a stop, and still detects a real block', async () => {
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

  test('is ended by Ctrl-C when it is stopped', async () => {
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
  ] as const)('in %s, and continues by itself, gets a complete report', async (how, block, back) => {
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
