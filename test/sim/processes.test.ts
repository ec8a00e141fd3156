/** What the simulator runs when it shares its seeds among processes. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from '../../sim/campaign.ts';
import { runNode } from '../support/node.ts';

const program = fileURLToPath(new URL('../../sim/main.ts', import.meta.url));

/** Puts a core in place whose every step throws. */
const brokenCore = `
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const isStep = url.endsWith('/src/core/step.ts');
      return isStep ? { ...loaded, source: loaded.source + 'step = () => { throw new Error("broken on purpose"); };' } : loaded;
    },
  });
`;

test('the processes of a campaign of 100 seeds run the core that --import puts in place', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(brokenCore)}`;
  const ran = await runNode(['--import', preload, program, '--seeds', '100', '--steps', '50', '--json']);
  expect(ran).toMatchObject({ code: 1, stderr: '' });
  const { failures } = JSON.parse(ran.stdout) as Report;
  // Each of the two processes ends after ten failures; both numbers of seeds, even and odd, are among them.
  expect(new Set(failures.map(({ seed }) => seed % 2))).toEqual(new Set([0, 1]));
  expect(failures[0]?.story.join('\n')).toContain('broken on purpose');
});
