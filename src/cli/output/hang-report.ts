/** A hang report for a person: first what hangs and where, then who waits, then the system's view. */
import type { HangReport } from '../../protocol/hangs.ts';
import type { Paint } from './paint.ts';
import { harmless } from './paint.ts';
import { ageText, facts, type Screen, timeText } from './text.ts';

type Snapshot = NonNullable<HangReport['snapshot']>;
type Frames = NonNullable<HangReport['stack']>;

const threadsShown = 40;

/** Names in it may be anybody's: of what they hold, nothing steers the terminal. */
const clean = (report: HangReport): HangReport =>
  JSON.parse(JSON.stringify(report), (_, value: unknown) =>
    typeof value === 'string' ? harmless(value) : value,
  ) as HangReport;

export function reportText(told: HangReport, screen: Screen): string {
  const { paint } = screen;
  const report = clean(told);
  const { id, at, class: what, trigger, summary, session, process: of, main, resumed, snapshot } = report;
  const head = facts(
    [
      ['report', id],
      ['at', timeText(at)],
      ['class', what],
      ['session', session],
      [
        'noticed',
        { watch: 'by the watchdog', requested: 'on request', end: 'when the daemon did not end on request' }[trigger],
      ],
      [
        'main loop',
        main.how === null
          ? 'runs'
          : `blocked for ${ageText(main.lagMs)}, in ${main.how === 'js' ? 'JavaScript' : 'native code'}`,
      ],
      ['afterwards', resumed === null ? null : `ran again after ${ageText(resumed.afterMs)}`],
      [
        'process',
        `${of.pid}, up ${ageText(of.upMs)}, ${Math.round(of.rss / 2 ** 20)} MiB, Signalbox ${of.version}, Node ${of.node}`,
      ],
    ],
    screen,
  );
  const parts = [paint.strong(summary), head];
  if (main.how !== null) {
    parts.push(
      section(
        'Stack of the main loop, innermost first',
        report.stack === null ? [report.noStack ?? ''] : frames(report.stack),
        paint,
      ),
    );
  }
  if (resumed?.stack) {
    parts.push(section('Where it came back from native code', frames(resumed.stack), paint));
  }
  if (snapshot === null) {
    parts.push(section('Sessions and waits', ['not known: the main loop had not written them down yet'], paint));
  } else {
    parts.push(section('Sessions', sessions(snapshot), paint), section('Waits', waits(snapshot), paint));
  }
  parts.push(section(`Threads of process ${report.threadsOf}`, threads(report.threads), paint));
  return parts.join('\n\n');
}

const section = (title: string, lines: readonly string[], paint: Paint): string =>
  [paint.strong(`${title}:`), ...(lines.length === 0 ? ['none'] : lines).map((line) => `  ${line}`)].join('\n');

const frames = (stack: Frames): readonly string[] =>
  stack.map(({ function: name, url, line, column }) => `${name} (${url === '' ? 'unknown' : url}:${line}:${column})`);

function sessions({ sessions: all, omitted }: Snapshot): readonly string[] {
  const lines = all.map(
    ({ session, phase, turn, queued, pid, quietMs, pending, permissionRequests, cpu, class: what }) =>
      [
        `${session}: ${phase}`,
        turn === null ? null : `turn ${turn}`,
        pid === null ? null : `pid ${pid}`,
        quietMs === null ? null : `last heard ${ageText(quietMs)} ago`,
        cpu === null ? null : `CPU ${Math.round(cpu * 100)} %`,
        queued === 0 ? null : `${queued} queued`,
        permissionRequests === 0 ? null : `${permissionRequests} permission requests wait for a person`,
        ...pending.map(({ what: asked, id, ageMs }) => `${asked} ${id} not answered for ${ageText(ageMs)}`),
        what === null ? null : `→ ${what}`,
      ]
        .filter((part) => part !== null)
        .join(', '),
  );
  return omitted === 0 ? lines : [...lines, `${omitted} more sessions and waits`];
}

const waits = ({ waits: all }: Snapshot): readonly string[] =>
  all.map(({ owner, name, id, ageMs, leftMs, person }) =>
    [
      `${owner} waits for ${name}${id === null ? '' : ` ${id}`} for ${ageText(ageMs)}`,
      leftMs === null
        ? person
          ? 'a person ends it'
          : 'another process ends it'
        : `${ageText(Math.max(0, leftMs))} left`,
    ].join(', '),
  );

const threads = (all: HangReport['threads']): readonly string[] =>
  all.slice(0, threadsShown).map(({ tid, name, state, waits: where, call, cpuMs }) => {
    const doing = where ?? (state === 'R' ? 'running' : 'not told');
    return `${tid} ${name}: ${state}, ${doing}${call === null ? '' : `, system call ${call}`}, CPU ${ageText(cpuMs)}`;
  });
