/**
 * A code runner of the daemon: several turns of the agent for one task. `examples/signalbox.config.ts` names it, so
 * `signalbox send acme/app --runner review "pull request 7"` runs it. An urgent task may come between two turns, and even interrupt one;
 * the runner does not notice.
 */
import type { Runner } from 'signalbox';

const review: Runner = async ({ prompt, hold }) => {
  const triage = await hold.turn(`Is this worth a review? ${prompt}`);
  await hold.progress({ triage: triage.outcome });
  const text = await hold.turn(`Review it: ${prompt}`);
  return { triage: triage.text, review: text.text };
};

export default review;
