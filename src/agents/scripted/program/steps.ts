/** What each directive does at its place in the turn; the others are a behaviour of the whole turn. */
import { numbers } from './directives.ts';
import { job } from './job-directives.ts';
import { misbehaviours } from './misbehaviour-directives.ts';
import { requestDirectives } from './request-directives.ts';
import type { Step, Steps } from './turn.ts';

const directives: { readonly [name: string]: Step } = {
  ...misbehaviours,
  ...requestDirectives,
  text: (turn, text) => turn.say(text),
  async stream(turn, argument) {
    const [count = 0, ms = 0, bytes = 0] = numbers(argument, 10, 10, 0);
    for (let chunk = 1; chunk <= count && !turn.stopped; chunk += 1) {
      turn.say(`chunk ${chunk}/${count} ${'x'.repeat(bytes)}`);
      await turn.wait(ms);
    }
  },
  async forever(turn, argument) {
    const [ms = 0] = numbers(argument, 10);
    for (let chunk = 1; !turn.stopped; chunk += 1) {
      turn.say(`chunk ${chunk} `);
      await turn.wait(ms);
    }
  },
  sleep: (turn, argument) => turn.wait(numbers(argument, 100)[0] ?? 100),
  async silent(turn, argument) {
    if (argument === 'once' && turn.isRepeated('[[silent:once]]')) {
      return;
    }
    // Timers take at most 2^31 - 1 ms.
    while (!turn.stopped) {
      await turn.wait(2_000_000_000);
    }
  },
  fail: (turn, code) => turn.fail(code === '' ? 'scripted' : code),
  history(turn) {
    const turns = turn.tools.conversation.turns.map(({ turn: id, prompt, outcome }) => ({ turn: id, prompt, outcome }));
    turn.say(JSON.stringify(turns));
  },
  work: (turn, argument) => job.begin(turn, argument),
};

export const steps: Steps = { directives, resume: (turn, prompt) => job.resumeFor(turn, prompt) };
