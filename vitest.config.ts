import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{test,src,check,sim,e2e}/**/*.test.ts'],
    // What needs a real agent program is run by e2e/main.ts, with a configuration of its own.
    exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**', '**/*-real.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // For what hangs. Tests that start programs take seconds, and many times as long on a busy machine.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
