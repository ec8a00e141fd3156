/**
 * Runs jobs in threads, a few at a time, each in a thread of its own so that its memory goes with it.
 * Owns the threads: every one of them has ended when `runAll` resolves or rejects.
 */
import { Worker } from 'node:worker_threads';
import type { Stats } from './engine/index.ts';
import type { Answer, Job, Message } from './worker.ts';

interface Watch {
  readonly onProgress?: (job: Job, stats: Stats) => void;
  readonly onAnswer?: (job: Job, answer: Answer) => void;
}

/** Megabytes of live objects that one exploration may hold; the packed states are not counted in it. */
const heapMb = 12_000;

/** Answers in the order of the jobs; at most `atOnce` run at a time. A thread that fails ends all of them. */
export async function runAll(jobs: readonly Job[], atOnce: number, watch: Watch): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const live = new Set<Worker>();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index];
      if (job === undefined) {
        return;
      }
      const answer = await runOne(job, live, watch);
      answers[index] = answer;
      watch.onAnswer?.(job, answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, atOnce) }, lane));
    return answers;
  } finally {
    await Promise.all([...live].map((worker) => worker.terminate()));
  }
}

function runOne(job: Job, live: Set<Worker>, watch: Watch): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    live.add(worker);
    let answer: Answer | null = null;
    worker.on('message', (message: Message) => {
      if ('answer' in message) {
        answer = message.answer;
      } else {
        watch.onProgress?.(job, message.progress);
      }
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      live.delete(worker);
      if (answer === null) {
        reject(new Error(`the exploration of ${job.config} ended without an answer`));
      } else {
        resolve(answer);
      }
    });
  });
}
