/**
 * `supervision/4` as drivers show it: a start ends in `ready`, or in `exited` with its reason and the program's
 * last words, and nothing of it is left. With every driver that starts a program.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { claudeDriver } from '../../src/agents/claude/driver.ts';
import { codexDriver } from '../../src/agents/codex/driver.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { processDriver } from '../../src/agents/index.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { pause, processInfo, realTimers } from '../../src/supervise/index.ts';
import { isGone, needs } from '../supervise/harness.ts';

interface Options {
  readonly command: string;
  readonly passEnv: readonly string[];
  readonly startDeadlineMs: number;
  readonly termGraceMs: number;
}

const drivers: readonly (readonly [name: string, make: (options: Options) => AgentDriver])[] = [
  ['process', processDriver],
  ['acp', acpDriver],
  ['claude', claudeDriver],
  ['codex', codexDriver],
];

/** A program that does what the script says, whatever its arguments are. */
class Program implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
  readonly command = join(this.#folder, 'agent');

  constructor(script: string) {
    writeFileSync(this.command, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  start(make: (options: Options) => AgentDriver, startDeadlineMs = 20_000): AgentProbe {
    return new AgentProbe(make({ command: this.command, passEnv: ['PATH'], startDeadlineMs, termGraceMs: 200 }));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Bounds are those of the invariant; on a machine that others use too a measurement is taken again, this often. */
const attempts = 6;

describe.each(drivers)('the driver %s', (_name, make) => {
  test('reports the last words of a program that exits within 100 ms, though a grandchild holds its pipes', async (context) => {
    needs(context, 'cookies');
    const took: number[] = [];
    while (took.length < attempts && (took.at(-1) ?? Infinity) > 100) {
      using program = new Program('setsid sleep 300 & echo no licence >&2; exit 3');
      await using agent = program.start(make);
      const [{ pid } = { pid: 0 }] = agent.identities;
      for (let info = processInfo(pid); info !== null && !info.zombie; info = processInfo(pid)) {
        await pause(realTimers, 1);
      }
      const dead = performance.now();
      const { reason, data } = await agent.exited();
      took.push(performance.now() - dead);
      expect(reason).toBe('crashed');
      expect(data).toMatchObject({ code: 3, stderr: 'no licence\n', left: [] });
      expect(agent.of('ready')).toEqual([]);
    }
    expect(Math.min(...took)).toBeLessThanOrEqual(100);
  });

  test('reports a silent program at the deadline with its last words, then ends it with its tools', async () => {
    using program = new Program(`trap '' TERM; echo still loading >&2; sleep 300 & echo $! >&2; wait; sleep 300`);
    await using agent = program.start(make, 700);
    await agent.first('output', ({ part }) => part.kind === 'notice');
    const [told] = agent.parts('notice');
    expect(told).toMatchObject({ code: 'not-ready', message: 'not ready within 700 ms' });
    const { stderr } = (told?.detail ?? { stderr: '' }) as { readonly stderr: string };
    expect(stderr).toContain('still loading');
    expect(agent.of('exited')).toEqual([]);
    const exited = await agent.exited();
    expect(exited.reason).toBe('start_timeout');
    expect(exited.data).toMatchObject({ rung: 'kill', left: [] });
    const tool = Number(stderr.split('\n')[1]);
    expect(tool).toBeGreaterThan(0);
    expect(isGone(tool)).toBe(true);
    expect(agent.identities.every(({ pid }) => isGone(pid))).toBe(true);
  });

  test('reports a program that does not exist', async () => {
    await using agent = new AgentProbe(
      make({ command: '/no/such/agent', passEnv: ['PATH'], startDeadlineMs: 20_000, termGraceMs: 200 }),
    );
    const { reason, data } = await agent.exited();
    expect(reason).toBe('spawn_failed');
    expect(data).toMatchObject({ left: [], message: expect.stringContaining('/no/such/agent') as string });
  });
});
