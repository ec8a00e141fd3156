/** Kills the real daemon by SIGKILL, at every fault point and at random moments under load, and judges what is left. */
import { storeFaultPoints } from '../../../src/store/index.ts';
import { seeded } from '../../support/random.ts';
import { processesWith } from '../harness/processes.ts';
import { allEnded, verdict } from './verdict.ts';
import { World } from './world.ts';

const faultPoints = [...storeFaultPoints, 'runtime.before-step', 'runtime.before-effects', 'runtime.after-effects'];
/** Callers that act at the same time. */
const callers = 6;

interface KillReport {
  readonly kills: number;
  readonly byPoint: { readonly [point: string]: number };
  readonly sent: number;
  readonly accepted: number;
  readonly agents: number;
  readonly wrong: readonly string[];
}

/** `kills` rounds; in each the daemon dies once. `tell` is called after each. */
export async function killRun(kills: number, seed: number, tell: (done: number) => void): Promise<KillReport> {
  const random = seeded(seed);
  const world = new World(random);
  const byPoint: { [point: string]: number } = {};
  try {
    for (let done = 0; done < kills; done += 1) {
      const point = done % 2 === 0 ? (faultPoints[(done / 2) % faultPoints.length] ?? 'none') : 'none';
      const count = 1 + Math.floor(random() * 40);
      byPoint[point === 'none' ? 'any moment' : point] = (byPoint[point === 'none' ? 'any moment' : point] ?? 0) + 1;
      if (await world.start({ point, count })) {
        await load(world, point === 'none' ? 5 + Math.floor(random() * 60) : null);
      }
      await world.gone();
      tell(done + 1);
    }
    await world.start();
    for (const sent of world.sent) {
      // What was never answered is asked again: it is the first task if that was admitted, and one task in any case.
      if (sent.task === null) {
        await world.submit(sent);
      }
    }
    await allEnded(world);
    const wrong = await verdict(world);
    world.kill('SIGTERM');
    await world.gone();
    wrong.push(...processesWith('cmdline', world.agentLog).map((pid) => `process ${pid} is left`));
    const agents = new Set(world.agentLines().map((line) => line.pid)).size;
    const accepted = world.sent.filter((sent) => sent.task !== null).length;
    return { kills, byPoint, sent: world.sent.length, accepted, agents, wrong };
  } finally {
    world.kill('SIGKILL');
    await world.gone();
    world.remove();
  }
}

/** Callers act until the daemon is dead; `killAfter`: it is killed after so many actions, in the middle of others. */
async function load(world: World, killAfter: number | null): Promise<void> {
  let acts = 0;
  const caller = async (): Promise<void> => {
    while (!world.dead) {
      acts += 1;
      if (killAfter !== null && acts >= killAfter) {
        world.kill('SIGKILL');
      }
      await world.act();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
