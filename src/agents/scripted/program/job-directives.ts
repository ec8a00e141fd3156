/** `[[work:steps,ms,label]]`: a background job that reports its progress and, once interrupted, resumes where it was. */
import type { RememberedJob } from './conversation.ts';
import { numbers } from './directives.ts';
import type { Turn } from './turn.ts';

const chores: readonly string[] = [
  'read the open pull requests',
  'list the modules that changed',
  'run the unit tests of the changed modules',
  'compare the public API with the last release',
  'look for callers of what was removed',
  'check the links in the docs',
  'measure the start-up time',
  'group the changes by their effect',
  'write the changelog entries',
  'update the upgrade notes',
];

async function run(turn: Turn, job: RememberedJob): Promise<void> {
  while (job.done < job.steps && !turn.stopped) {
    await turn.wait(job.stepMs);
    if (turn.stopped) {
      break;
    }
    job.done += 1;
    turn.say(`step ${job.done}/${job.steps}: ${chores[(job.done - 1) % chores.length]}\n`);
    turn.tools.conversation.save();
  }
  if (job.done === job.steps) {
    turn.say(`done: all ${job.steps} steps\n`);
  }
}

async function resume(turn: Turn, job: RememberedJob): Promise<void> {
  turn.say(`resuming at step ${job.done + 1} of ${job.steps}\n`);
  await run(turn, job);
}

export const job = {
  async begin(turn: Turn, argument: string): Promise<void> {
    const [steps = 0, stepMs = 0] = numbers(argument, 10, 200);
    const unfinished = turn.tools.conversation.unfinished(argument);
    if (unfinished !== null && unfinished.done > 0) {
      await resume(turn, unfinished);
    } else {
      await run(turn, turn.tools.conversation.beginJob(argument, steps, stepMs));
    }
  },

  /** For a prompt that tells the agent to continue, in any words. False: no job is unfinished. */
  async resumeFor(turn: Turn, prompt: string): Promise<boolean> {
    const unfinished = /\b(?:continue|resume|go on|cut off|interrupted)\b/i.test(prompt)
      ? turn.tools.conversation.unfinished(null)
      : null;
    if (unfinished === null) {
      return false;
    }
    await resume(turn, unfinished);
    return true;
  },
};
