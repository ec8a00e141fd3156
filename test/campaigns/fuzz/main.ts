/** `npm run fuzz -- [--minutes N] [--requests N] [--seed N] [--only SEED]… [--json]`: exit code 1 and the seeds if anything is wrong. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { fuzzRun } from './run.ts';

const { counts, words, json } = campaignArguments('fuzz', { minutes: 60, requests: 10_000_000, seed: 1 }, ['only']);
const { minutes, requests, seed } = counts;
const { say, end } = progress(20);
const report = await fuzzRun({
  minutes,
  requests,
  seed,
  ...(words.only.length === 0 ? {} : { only: words.only.map(Number) }),
  tell: ({ seconds, sent }) => say(`${Math.round(seconds)} of ${minutes * 60} s: ${sent} requests`),
});
end();
if (json) {
  process.stdout.write(`${JSON.stringify(report)}\n`);
} else {
  const { sent, byStatus, failures, memory } = report;
  process.stdout.write(`${sent} requests, by their status: ${JSON.stringify(byStatus)}\n`);
  process.stdout.write(
    `resident memory: ${memory.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`).join(' and ')}\n`,
  );
  for (const failure of failures) {
    process.stdout.write(
      `WRONG: npm run fuzz -- --only ${failure.seed}\n${failure.why}\n${JSON.stringify(failure.request).slice(0, 2_000)}\n`,
    );
  }
}
process.exitCode = report.failures.length === 0 ? 0 : 1;
