/** A configuration with most of what people change. `npx signalbox up --config examples/signalbox.config.ts` */
import { defineConfig } from 'signalbox';

export default defineConfig({
  listen: { port: 7070 },
  durability: 'power',
  agent: { name: 'scripted', args: ['--chunk-ms', '20'] },
  limits: { maxPassedOver: 3, collectMs: 800, agentIdleMs: 120_000 },
  // `signalbox send acme/app --runner review "pull request 7"`
  runners: { review: './runners/review.ts' },
  // The secret is better kept in SIGNALBOX_GITHUB_SECRET.
  aliases: { 'chat:room-7': 'github:acme/app' },
});
