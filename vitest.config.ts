import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{test,src,check,sim,e2e}/**/*.test.ts'],
    // What needs a real agent program is run by e2e/main.ts, with a configuration of its own.
    exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**', '**/*-real.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
