/**
 * Measures the Codex driver with the real program against the fake model: `node test/agents/real/measure-codex.ts [COUNT]`.
 * Milliseconds: from the driver's call to its event.
 */
import { readFileSync } from 'node:fs';
import { percentile } from '../../../e2e/figures.ts';
import { AgentProbe } from '../../../src/testing/agents/index.ts';
import { pause, realTimers } from '../../../src/supervise/index.ts';
import { allowing, codexBinary, exec, missing, realCodex } from './codex.ts';
import { running } from '../players/running.ts';

const count = Number(process.argv[2] ?? 30);
if (codexBinary === null) {
  throw new Error(missing);
}
await using codex = await realCodex();
const samples: { [name: string]: number[] } = {};
const add = (name: string, ms: number): void => {
  (samples[name] ??= []).push(ms);
};

for (let start = 0; start < 5; start += 1) {
  const began = performance.now();
  await using agent = new AgentProbe(codex.driver());
  await agent.ready();
  add('spawn → ready', performance.now() - began);
}

const tool = `sleep 62.${process.pid}`;
await using agent = new AgentProbe(allowing(codex.driver(), 'sleep'));
await agent.ready();
let turn = 0;

async function interrupted(where: string, prompt: string, begun: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    turn += 1;
    const prompted = performance.now();
    agent.prompt(turn, prompt);
    await agent.started(turn);
    add('prompt → started', performance.now() - prompted);
    await begun();
    const asked = performance.now();
    agent.interrupt(turn);
    await agent.first('ack', (event) => event.turn === turn);
    add(`interrupt → ack, ${where}`, performance.now() - asked);
    await agent.result(turn);
    add(`interrupt → result, ${where}`, performance.now() - asked);
    if (where !== 'command') {
      continue;
    }
    while (running(tool).length > 0) {
      await pause(realTimers, 1);
    }
    add('interrupt → command gone', performance.now() - asked);
  }
}

await interrupted('text', '[[slow:5000,10]]', () =>
  agent.first('output', (event) => event.turn === turn && event.part.kind === 'text'),
);
await interrupted('silent model', '[[hang0]]', () => pause(realTimers, 50));
await interrupted('command', exec(tool, { yield_time_ms: 30_000 }), async () => {
  while (running(tool).length === 0) {
    await pause(realTimers, 5);
  }
});
const status = readFileSync(`/proc/${agent.identities[0]?.pid}/status`, 'utf8');

for (const [name, ms] of Object.entries(samples)) {
  const [p50, p95, max] = [percentile(ms, 0.5), percentile(ms, 0.95), Math.max(...ms)].map((one) => one.toFixed(1));
  process.stdout.write(`${name.padEnd(36)} n ${String(ms.length).padStart(3)}  p50 ${p50}  p95 ${p95}  max ${max}\n`);
}
process.stdout.write(
  `${/VmRSS:.*/.exec(status)?.[0] ?? ''} (the leader; the program is ${codexBinary.split('/').at(-1)})\n`,
);
