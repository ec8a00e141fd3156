import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The drivers' contract and what is beside it, with the real programs. One file per program, one after the other. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/agents/*-real.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
