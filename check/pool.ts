/**
 * Runs jobs in threads, a few at a time. A thread takes job after job, because code that has run for a while runs faster: a
 * small exploration is over before a new thread is up to speed.
 * Owns the threads: every one of them has ended when `runAll` resolves or rejects.
 */
import { Worker } from 'node:worker_threads';
import type { Stats } from './engine/index.ts';
import type { Answer, Job, Message } from './worker.ts';

interface Watch {
  readonly onProgress?: (job: Job, stats: Stats) => void;
  readonly onAnswer?: (job: Job, answer: Answer) => void;
}

const resourceLimits = {
  /** Megabytes of live objects that one exploration may hold; the packed states are not counted in it. */
  maxOldGenerationSizeMb: 12_000,
  /** Nearly all that a move makes is garbage after the next one. With much room for it little is copied. */
  maxYoungGenerationSizeMb: 192,
};

/** Answers in the order of the jobs; at most `atOnce` run at a time. A thread that fails ends all of them. */
export async function runAll(jobs: readonly Job[], atOnce: number, watch: Watch): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const threads: Worker[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    const thread = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits });
    threads.push(thread);
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index];
      if (job === undefined) {
        return;
      }
      const answer = await runOne(job, thread, watch);
      answers[index] = answer;
      watch.onAnswer?.(job, answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.min(atOnce, jobs.length)) }, lane));
    return answers;
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function runOne(job: Job, thread: Worker, watch: Watch): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onMessage = (message: Message): void => {
    if ('answer' in message) {
      resolve(message.answer);
    } else {
      watch.onProgress?.(job, message.progress);
    }
  };
  const onExit = (): void => reject(new Error(`the exploration of ${job.config} ended without an answer`));
  thread.on('message', onMessage).on('error', reject).on('exit', onExit);
  thread.postMessage(job);
  return promise.finally(() => thread.off('message', onMessage).off('error', reject).off('exit', onExit));
}
