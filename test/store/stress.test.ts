/** T06, at the level of the store: see race.ts. */
import { describe, expect, test } from 'vitest';
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import type { Faults } from '../../src/store/index.ts';
import type { FeedEvent, StoredEvent, StoredTask } from '../../src/store/port.ts';
import { harnesses } from './harness.ts';
import { Race, Struck, type Result, type World } from './race.ts';

const scenarios = 2_560;
const session = sessionKey('race');

/** What is wrong with an ended task, if anything. */
function strand(task: StoredTask | null, tape: readonly StoredEvent[], results: readonly Result[]): string | null {
  const last = tape.at(-1);
  if (task === null || task.status === 'queued' || task.status === 'running') {
    return 'it never ended';
  }
  if (last?.type !== 'final' || tape.filter((event) => event.type === 'final').length !== 1) {
    return 'not one final, last';
  }
  if (tape.some((event, index) => event.seq !== index + 1) || task.seq !== tape.length) {
    return 'its tape is not dense';
  }
  if ((last.data as { status: string }).status !== task.status) {
    return 'status and final disagree';
  }
  // A writer whose commit was cut off after COMMIT may not know that it won; none may believe it that did not.
  const winners = results.filter((result) => result !== 'lost' && result !== 'progressed');
  if (winners.some((winner) => winner !== task.status) || winners.length > 1) {
    return 'a loser believes that it won';
  }
  return null;
}

describe.each(Object.entries(harnesses))('on %s', (_, make) => {
  test(`T06 ${scenarios} races of progress, cancel and completion strand no task`, () => {
    const harness = make();
    const world: World = { aim: null, reopened: 0, reopen, store: harness.open({ faults: faults() }) };
    function faults(): Faults {
      return {
        at(point) {
          if (world.aim !== point) {
            return;
          }
          world.aim = null;
          throw new Struck(point);
        },
      };
    }
    function reopen(): World['store'] {
      world.store.close();
      return harness.open({ faults: faults() });
    }
    try {
      const strands: string[] = [];
      const met = { completed: 0, cancelled: 0, failed: 0, lost: 0, progressed: 0 };
      for (let seed = 0; seed < scenarios; seed += 1) {
        world.aim = null;
        const id = taskId(`t${seed}`);
        const results = new Race(world, session, id, seed).run();
        const wrong = strand(world.store.task(id), world.store.tape(session, id, 0, 99), results);
        if (wrong !== null) {
          strands.push(`seed ${seed}: ${wrong}`);
        }
        for (const result of results) {
          met[result] += 1;
        }
      }
      expect(strands).toEqual([]);
      // The scenarios are worth their name: everybody wins at times, many lose, stores were reopened in between.
      for (const count of Object.values(met)) {
        expect(count).toBeGreaterThan(scenarios / 10);
      }
      expect(world.reopened).toBeGreaterThan(20);
      const { store } = world;
      const { tasks, events, lateDropped } = store.stats();
      expect([tasks.queued, tasks.running, tasks.completed + tasks.failed + tasks.cancelled]).toEqual([
        0,
        0,
        scenarios,
      ]);
      expect(lateDropped).toBeGreaterThan(scenarios);
      const feed: FeedEvent[] = [];
      for (let more = true; more;) {
        const page = store.feed(session, feed.at(-1)?.position ?? null, 1_000);
        feed.push(...page);
        more = page.length > 0;
      }
      expect(feed.length).toBe(events);
      expect(feed.filter((event) => event.type === 'final').length).toBe(scenarios);
    } finally {
      harness.dispose();
    }
  });
});
