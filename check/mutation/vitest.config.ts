/** The unit tests that drive the core, with the text of a mutant in place of one of its files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const { SIGNALBOX_MUTANT_ORIGINAL: original, SIGNALBOX_MUTANT_INSTEAD: instead } = process.env;

/** Of the runtime: the files that drive it in one process, without waits of real time. */
const ofRuntime = ['late-answers', 'models', 'preempt', 'queue', 'recovery', 'runner', 'same-pass'];

export default defineConfig({
  root: fileURLToPath(new URL('../../', import.meta.url)),
  plugins: [
    {
      name: 'signalbox-mutant',
      enforce: 'pre',
      load: (id) => (id === original && instead !== undefined ? readFileSync(instead, 'utf8') : null),
    },
  ],
  test: {
    include: ['test/core/**/*.test.ts', ...ofRuntime.map((name) => `test/runtime/${name}.test.ts`)],
    pool: 'forks',
    maxWorkers: 1,
    // It goes by the text in `src/core`, and would give that in place of the mutant's.
    fsModuleCache: false,
    // A busy machine must not kill a mutant.
    retry: 1,
    testTimeout: 30_000,
  },
});
