/**
 * A code runner: several turns of the agent under one hold, preempted by an urgent question in between, and resumed
 * without knowing it. Run it: `node examples/review-bot.ts`.
 */
import { createSignalbox, functionDriver, openMemoryStore } from 'signalbox';

await using box = createSignalbox({
  store: openMemoryStore(),
  // Stands for a real agent: it takes its time, and stops when it is interrupted.
  agent: functionDriver(async function* (prompt, { signal }) {
    for (const word of ['looking', 'thinking', 'writing']) {
      if (signal.aborted) {
        return { text: '' };
      }
      yield `${word}… `;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { text: `answer to: ${prompt.split('\n').at(-1)}` };
  }),
  runners: {
    async review({ prompt, hold }) {
      const triage = await hold.turn(`Is this worth a review? ${prompt}`);
      await hold.progress({ triage: triage.outcome });
      const review = await hold.turn(`Review it: ${prompt}`);
      return { triage: triage.text, review: review.text };
    },
  },
});

const background = await box.submit({
  session: 'github:acme/app',
  prompt: 'pull request 7',
  runner: 'review',
  lane: 'background',
});
if (background.kind !== 'accepted') {
  throw new Error(background.hint);
}

for await (const event of box.follow(background.task)) {
  console.log(`review    ${event.seq} ${event.type}`);
  if (event.type === 'turn-started' && event.seq < 6) {
    const urgent = await box.submit({ session: 'github:acme/app', prompt: 'why is main red?' });
    if (urgent.kind === 'accepted') {
      console.log(`question  ${(await box.result(urgent.task)).status}`);
    }
  }
}
console.log(JSON.stringify((await box.task(background.task))?.final));
