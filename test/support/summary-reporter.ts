/**
 * Writes `<passed> <failed>` to the file named by SIGNALBOX_TEST_SUMMARY, for `.ci/run`; without that variable it
 * does nothing. A file that could not be collected, and an error that no test caught, each count as one failure:
 * otherwise a suite that does not even load would look like a suite without tests.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['SIGNALBOX_TEST_SUMMARY'];
    if (file === undefined || file === '') {
      return;
    }
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') {
          passed += 1;
        }
        if (state === 'failed') {
          failedHere += 1;
        }
      }
      failed += failedHere === 0 && !module.ok() ? 1 : failedHere;
    }
    writeFileSync(file, `${passed} ${failed}\n`);
  }
}
