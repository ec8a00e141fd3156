/**
 * Durable appends to the tapes of 64 tasks at once, by the store alone: groups of some events for each session. The limit inserts the same events on one
 * connection, as many in a transaction, a row for each into a table with one key: no fence, no session, no feed, no figures.
 */
import pg from 'pg';
import { sessionKey, taskId, turnId } from '../../../src/core/model/ids.ts';
import { newSession } from '../../../src/core/queue.ts';
import { step } from '../../../src/core/step.ts';
import { partsPerStep } from '../../../src/runtime/options.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { compared, inTurns, rate } from '../../harness.ts';
import { submitted } from '../../support/inputs.ts';
import { emptyDatabase } from '../support/database.ts';

const sessions = 64;
const goal = { of: 'ratio', atLeast: 0.6 } as const;
const text = `${'The quick brown fox jumps over the lazy dog. '.repeat(4)}and continues`;
/** Data of an `output` event as the core makes it. */
const data = { turn: turnId(1), part: { kind: 'text', text } } as const;

export const row: Row = {
  name: 'append',
  title: 'durable tape append, 64 tasks at once, events per second',
  limit: 'inserts of the same events',
  async measure(run: Run): Promise<readonly Figure[]> {
    const each = run.quick ? 24 : 480;
    const figures: Figure[] = [];
    for (const perSession of [8, 3, 1]) {
      await using database = await emptyDatabase();
      await using ours = await openOurs(database.url);
      await using raw = await openRaw(database.url);
      const pairs = await inTurns(run, {
        limit: () => raw.round(each, perSession),
        ours: () => ours.round(each, perSession),
      });
      const measure = `${perSession} × ${sessions} a commit`;
      figures.push(compared(pairs, { measure, unit: '/s', goal: perSession === 1 ? null : goal }));
    }
    return figures;
  },
};

async function openOurs(url: string) {
  const store = await openPostgresStore({ url });
  let made = 0;
  /** New tasks in their sessions. */
  const begin = () =>
    Promise.all(
      Array.from({ length: sessions }, async (_, at) => {
        const key = sessionKey(`bench:append-${(made += 1)}-${at}`);
        const claimed = await store.claim(key);
        if (!('lease' in claimed)) {
          throw new Error('the store is ours alone');
        }
        const { lease } = claimed;
        const id = `task-${made}-${at}`;
        const options = { maxPassedOver: 3, maxOpen: 10, partsPerStep, freshWhenFull: true };
        const { records } = step(newSession(key, options), submitted(id, 'interactive'));
        await store.commit([{ session: key, lease, records }]);
        const seq = records.filter((record) => record.type === 'event' && record.task === id).length;
        return { key, lease, task: taskId(id), seq };
      }),
    );
  return {
    async round(each: number, perSession: number): Promise<number> {
      const open = await begin();
      return rate(each * sessions, async () => {
        for (let at = 0; at < each; at += perSession) {
          await store.commit(
            open.map(({ key, lease, task, seq }) => ({
              session: key,
              lease,
              records: Array.from({ length: perSession }, (_, index) => ({
                type: 'event' as const,
                at: 1,
                task,
                seq: seq + at + index + 1,
                event: { type: 'output' as const, data },
              })),
            })),
          );
        }
      });
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function openRaw(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    'CREATE TABLE raw (tape bigint, seq integer, at double precision, type text, data text, PRIMARY KEY (tape, seq))',
  );
  let tapes = 0;
  const insert = {
    name: 'raw',
    text: `INSERT INTO raw SELECT tape, seq, 1, 'output', data FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS e (tape, seq, data)`,
  };
  return {
    async round(each: number, perSession: number): Promise<number> {
      const first = tapes + 1;
      tapes += sessions;
      return rate(each * sessions, async () => {
        for (let at = 0; at < each; at += perSession) {
          const rows = Array.from({ length: sessions * perSession }, (_, index) => index);
          const values = [
            rows.map((index) => first + Math.floor(index / perSession)),
            rows.map((index) => at + (index % perSession) + 1),
            rows.map(() => JSON.stringify(data)),
          ];
          await client.query({ ...insert, values });
        }
      });
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
