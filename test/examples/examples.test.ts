import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/daemon/config/schema.ts';

const run = promisify(execFile);
const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

describe('the example', () => {
  it('review-bot.ts is preempted between its turns, resumed, and ends with both answers', async () => {
    const { stdout } = await run(process.execPath, [example('review-bot.ts')]);
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('question  completed');
    expect(stdout).toMatch(/preempted[\s\S]*resumed[\s\S]*final/);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      status: 'completed',
      result: { review: expect.any(String) },
    });
  });

  it('signalbox.config.ts is a valid configuration', async () => {
    const { default: config } = (await import('../../examples/signalbox.config.ts')) as { default: unknown };
    expect(checkConfig(config)).toMatchObject({ ok: true });
  });
});
