/** The demo: what it shows is real, and its judge sees what is broken. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { KnownEvent, ReadEvent } from '../../src/client/index.ts';
import { Board } from '../../src/cli/demo/board.ts';
import type { Row } from '../../src/cli/demo/board.ts';
import { diagram } from '../../src/cli/demo/diagram.ts';
import type { AgentLine, Evidence } from '../../src/cli/demo/evidence.ts';
import { figuresOf } from '../../src/cli/demo/figures.ts';
import { header, line } from '../../src/cli/demo/render.ts';
import { allHeld, verify } from '../../src/cli/demo/verify.ts';
import type { EventType } from '../../src/core/model/events.ts';
import { plain } from '../../src/cli/output/paint.ts';
import { Cli, ended, saying } from '../support/cli.ts';
import { eventOf } from '../support/events.ts';

const names = ['A', 'B', 'C', 'background'];

/** A run in which all is well: the background task gives way to A and B, and C, which is a machine's, waits for its end. */
function goodFeed(): ReadEvent[] {
  const seqs = new Map<string | null, number>();
  let at = 1000;
  const event = <T extends EventType>(task: string | null, type: T, says: Partial<KnownEvent<T>['data']> = {}) => {
    const seq = (seqs.get(task) ?? 0) + 1;
    seqs.set(task, seq);
    return eventOf(type, { session: 's', task, seq, at }, says);
  };
  const turn = (task: string, number: number): ReadEvent[] => [
    event(task, 'turn-sent', { turn: number }),
    event(task, 'turn-started', { turn: number }),
    event(task, 'output', { part: { kind: 'text', text: `step ${number}/12: work` } }),
  ];
  const whole = (task: string, epoch: number, first: 'granted' | 'resumed'): ReadEvent[] => {
    at += 10;
    const begun = [event(task, first, { epoch }), ...turn(task, epoch)];
    at += 10;
    return [...begun, event(task, 'final', { status: 'completed' })];
  };
  const feed: ReadEvent[] = [
    event('bg', 'queued', { lane: 'background' }),
    event('bg', 'granted', { epoch: 1 }),
    event(null, 'agent-ready'),
  ];
  feed.push(...turn('bg', 1));
  at += 10;
  feed.push(event('a', 'queued'), event('bg', 'interrupt-requested', { by: byTask('a'), sent: true }));
  at += 1;
  feed.push(
    event('bg', 'interrupt-acked'),
    event('b', 'queued'),
    event('c', 'queued'),
    event('bg', 'preempted', { by: byTask('a') }),
  );
  feed.push(...whole('a', 2, 'granted'), ...whole('b', 3, 'granted'));
  feed.push(...whole('bg', 4, 'resumed'), ...whole('c', 5, 'granted'));
  return feed;
}

const byTask = (name: string) => ({ kind: 'task' as const, name });

const log = (...events: readonly (readonly [event: string, turn: number, us: number])[]): AgentLine[] =>
  events.map(([event, turn, us]) => ({ at: String(us * 1000), pid: 1, event, turn }));

function evidence(feed: readonly ReadEvent[] = goodFeed()): Evidence {
  const served = { a: 'A', b: 'B', bg: 'background', c: 'C' };
  const ids = Object.keys(served);
  return {
    receipts: Object.entries(served).map(([task, name]) => ({ task, name })),
    background: 'background',
    feed,
    tapes: new Map(ids.map((id) => [id, feed.filter(({ task }) => task === id)])),
    statuses: new Map(ids.map((id) => [id, 'completed'])),
    agentLog: log(['started', 0, 0]),
    strays: [],
  };
}

/** Both the feed and the tapes without, or with other, events. */
const changed = (change: (feed: ReadEvent[]) => ReadEvent[]): Evidence => evidence(change(goodFeed()));
const type =
  (wanted: EventType, of: string | null) =>
  (event: ReadEvent): boolean =>
    event.type === wanted && event.task === of;

describe('the judge', () => {
  test('finds nothing in good evidence', () => {
    expect(verify(evidence()).flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(allHeld(verify(evidence()))).toBe(true);
  });

  /** The same event on the tape of another task. */
  const ofTask = (event: ReadEvent, task: string | null): ReadEvent => ({ ...event, task }) as ReadEvent;
  const swap = (feed: ReadEvent[], i: number, j: number): ReadEvent[] =>
    feed.map((event, index) => feed[index === i ? j : index === j ? i : index] ?? event);
  const telling = <T extends EventType>(
    feed: ReadEvent[],
    wanted: T,
    of: string,
    says: Partial<KnownEvent<T>['data']>,
  ): ReadEvent[] =>
    feed.map((event) =>
      type(wanted, of)(event)
        ? ({ ...event, data: { ...(event as KnownEvent<T>).data, ...says } } as ReadEvent)
        : event,
    );

  test.each<readonly [what: string, guarantee: RegExp, broken: Evidence]>([
    ['a gap in a tape', /dense/, changed((feed) => feed.filter((event) => !type('turn-started', 'a')(event)))],
    ['an empty tape', /dense/, { ...evidence(), tapes: new Map() }],
    ['no final', /exactly one final/, changed((feed) => feed.filter((event) => !type('final', 'b')(event)))],
    ['two finals', /exactly one final/, changed((feed) => [...feed, { ...(feed.at(-1) as ReadEvent), seq: 99 }])],
    [
      'an event after the final',
      /exactly one final/,
      changed((feed) => [...feed, eventOf('output', feed.at(-1) as ReadEvent)]),
    ],
    [
      'an event that was not streamed',
      /streamed live/,
      { ...evidence(), feed: goodFeed().filter((event) => !type('output', 'c')(event)) },
    ],
    [
      'B served before A',
      /order/,
      changed((feed) =>
        feed.map((event) => ofTask(event, event.task === 'b' ? 'a' : event.task === 'a' ? 'b' : event.task)),
      ),
    ],
    [
      'C served before the background task',
      /order/,
      changed((feed) =>
        feed.map((event) => ofTask(event, event.task === 'bg' ? 'c' : event.task === 'c' ? 'bg' : event.task)),
      ),
    ],
    [
      'a background task that never gave way',
      /preempted, and resumed/,
      changed((feed) => feed.filter((event) => !type('preempted', 'bg')(event))),
    ],
    [
      'an interrupt of a later pass',
      /same pass/,
      changed((feed) =>
        feed.map((event) => (event.type === 'interrupt-requested' ? { ...event, at: event.at + 1 } : event)),
      ),
    ],
    [
      'an interrupt that stayed behind',
      /same pass/,
      changed((feed) => telling(feed, 'interrupt-requested', 'bg', { sent: false })),
    ],
    [
      'an interrupt for somebody else',
      /same pass/,
      changed((feed) => telling(feed, 'interrupt-requested', 'bg', { by: byTask('b') })),
    ],
    ['no interrupt', /same pass/, changed((feed) => feed.filter(({ type: is }) => is !== 'interrupt-requested'))],
    ['an epoch that was used before', /one owner/, changed((feed) => telling(feed, 'granted', 'b', { epoch: 2 }))],
    [
      'a grant while another holds',
      /one owner/,
      changed((feed) => swap(feed, feed.findIndex(type('final', 'a')), feed.findIndex(type('granted', 'b')))),
    ],
    [
      'a turn of a task that owns nothing',
      /one owner/,
      changed((feed) => feed.map((event) => (type('turn-sent', 'b')(event) ? ofTask(event, 'c') : event))),
    ],
    ['an accepted task without an outcome', /its outcome/, { ...evidence(), statuses: new Map([['a', 'running']]) }],
    ['two agents at once', /one agent process/, { ...evidence(), agentLog: log(['started', 0, 0], ['overlap', 0, 1]) }],
    ['no agent process at all', /one agent process/, { ...evidence(), agentLog: [] }],
    ['a process left behind', /one agent process/, { ...evidence(), strays: [4711] }],
  ])('sees %s', (_, guarantee, broken) => {
    const judgements = verify(broken);
    const found = judgements.filter(({ breaches }) => breaches.length > 0).map((judgement) => judgement.guarantee);
    expect(found.join('; ')).toMatch(guarantee);
    expect(allHeld(judgements)).toBe(false);
  });
});

describe('the board of the demo', () => {
  const board = new Board(names);
  for (const { task, name } of evidence().receipts) {
    board.expect(task, name, `what ${name} is`);
  }
  const rows: readonly Row[] = goodFeed().flatMap((event) => board.rows(event));
  const look = { names, paint: plain, columns: 80 };

  test('draws who owns, who waits and what happens, in 80 columns', () => {
    const lines = rows.map((row) => line(row, look));
    expect(header(look)).toBe('    ms   A  B  C  bg');
    expect(lines).toContain('    10   ┊        ╳  background is interrupted for A, in the same commit');
    expect(lines).toContain('    21   ●  ┊  ┊  ┊  A          gets the session, epoch 2');
    expect(lines).toContain('    91         ■     C          ends completed: final');
    for (const text of lines) {
      expect(Array.from(text).length).toBeLessThanOrEqual(80);
    }
  });

  test('draws the whole run on tracks', () => {
    const tracks = diagram(rows, look);
    expect(tracks.map((text) => text.replace(/(.)\1+/g, '$1').trim())).toEqual([
      'A ┄●━■',
      'B ┄●━■',
      'C ┄●━■',
      'background ●━╳┄●━■',
      expect.stringMatching(/^0· 0\.1 s$/),
    ]);
    for (const text of tracks) {
      expect(Array.from(text).length).toBeLessThanOrEqual(80);
    }
  });
});

test('the figures come from the agent’s own log', () => {
  const lines = log(
    ['prompt', 1, 0],
    ['interrupt', 1, 1500],
    ['ack', 1, 1700],
    ['result', 1, 1800],
    ['prompt', 2, 2300],
    ['result', 2, 5000],
  );
  const deliveries = [{ name: 'A', sent: 1_000_000n, answered: 2_600_000n }];
  const owners = new Map([
    [1, 'background'],
    [2, 'A'],
    [3, 'B'],
  ]);
  expect(figuresOf(lines, deliveries, owners).map(({ values }) => values)).toEqual([
    [{ of: 'A', ms: 0.5 }],
    [{ of: 'background', ms: 0.2 }],
    [{ of: 'A', ms: 0.5 }],
    [{ of: 'A', ms: 1.6 }],
  ]);
});

describe('the demo', () => {
  test('holds every guarantee, on real parts, and leaves nothing behind', async () => {
    await using cli = new Cli();
    const { code, stdout, stderr } = await cli.run(['demo', '--json'], { env: { TMPDIR: cli.folder } });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as { readonly [name: string]: unknown });
    expect(lines.filter((one) => one['type'] === 'check' && (one['breaches'] as unknown[]).length > 0)).toEqual([]);
    expect([code, stderr, lines.at(-1)]).toEqual([0, '', { type: 'verdict', held: true }]);
    expect(lines.filter((one) => one['type'] === 'receipt').map((one) => one['name'])).toEqual([
      'background',
      'A',
      'B',
      'C',
    ]);
    for (const one of lines.filter(({ type: is }) => is === 'figure')) {
      expect((one['values'] as unknown[]).length).toBeGreaterThan(0);
    }
    expect(readdirSync(cli.folder)).toEqual([]);
  });

  test('cleans up when it is interrupted', async () => {
    await using cli = new Cli();
    const child = cli.spawn(['demo'], { env: { TMPDIR: cli.folder } });
    const whole = ended(child);
    const said = await saying(child, /gets the session, epoch 2/);
    const daemon = Number(/process (\d+)/.exec(said)?.[1]);
    child.kill('SIGINT');
    expect((await whole).code).toBe(130);
    expect([existsSync(`/proc/${daemon}`), readdirSync(cli.folder)]).toEqual([false, []]);
  });

  test('cleans up when its reader goes away', async () => {
    await using cli = new Cli();
    const child = cli.spawn(['demo'], { env: { TMPDIR: cli.folder } });
    const whole = ended(child);
    await saying(child, /step 1/);
    child.stdout?.destroy();
    expect((await whole).code).toBe(0);
    expect(readdirSync(cli.folder).filter((name) => name.startsWith('signalbox-demo'))).toEqual([]);
  });
});
