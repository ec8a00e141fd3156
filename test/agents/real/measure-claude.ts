/** Figures of the driver with the real Claude Code: `node test/agents/real/measure-claude.ts`. Shown in docs/agents/claude.md. */
import { AgentProbe } from '../../../src/testing/agents/index.ts';
import { pause, realTimers } from '../../../src/supervise/index.ts';
import { claudeBinary, missing, realClaude } from './claude.ts';

const rounds = 40;
const races = 200;

function show(what: string, figures: readonly number[]): void {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  process.stdout.write(`${what}: n ${figures.length}, p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms\n`);
}

const since = (from: number): number => performance.now() - from;

if (claudeBinary === null) {
  throw new Error(missing);
}
await using claude = await realClaude();
await using agent = new AgentProbe(claude.driver(), { deadlineMs: 60_000 });
let from = performance.now();
await agent.ready();
show('spawn to ready', [since(from)]);

const [starts, acks, results, turns]: [number[], number[], number[], number[]] = [[], [], [], []];
let turn = 0;
for (let round = 0; round < rounds; round += 1) {
  turn += 1;
  from = performance.now();
  agent.prompt(turn, '[[slow:5000,5]]');
  await agent.started(turn);
  starts.push(since(from));
  await agent.output(turn);
  from = performance.now();
  agent.interrupt(turn);
  await agent.first('ack', (event) => event.turn === turn);
  acks.push(since(from));
  await agent.result(turn);
  results.push(since(from));
  turn += 1;
  from = performance.now();
  agent.prompt(turn, '[[text:x]]');
  await agent.result(turn);
  turns.push(since(from));
}
show('prompt to started', starts);
show('interrupt to ack', acks);
show('interrupt to result', results);
show('a whole short turn', turns);

const ends: number[] = [];
let lost = 0;
for (let race = 0; race < races; race += 1) {
  turn += 1;
  agent.prompt(turn, '[[slow:200,5]]');
  await pause(realTimers, race % 6);
  from = performance.now();
  // The core would wait for `started`; the driver has to stand it without.
  agent.interrupt(turn);
  const { result } = await agent.result(turn);
  ends.push(since(from));
  if (result.outcome !== 'interrupted') {
    lost += 1;
  }
  await agent.first('ack', (event) => event.turn === turn);
}
show('interrupt to result, 0 to 5 ms after the prompt', ends);
process.stdout.write(`lost: ${lost} of ${races}\n`);
