/** The help. Its first line says what to do next. */
import { synopsis } from './parse.ts';
import type { Paint } from './output/paint.ts';
import { wrapped } from './output/width.ts';
import type { Command, Flag, Group } from './command.ts';
import { globalFlags } from './flags.ts';
import { commands } from './registry.ts';

const groups: readonly Group[] = [
  'Run it',
  'Give it work',
  'Watch',
  'Change what is queued or runs',
  'Answer agents',
  'Look after it',
];

interface Page {
  readonly paint: Paint;
  readonly columns: number;
}

/** Columns: of a terminal as many as it has, up to these. */
const widest = 110;

const widthOf = ({ columns: room }: Pick<Page, 'columns'>): number => Math.min(widest, room);

function columns(rows: readonly (readonly [string, string])[], { paint, columns: room }: Page): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = ' '.repeat(width + 4);
  return rows
    .map(([left, right]) => {
      const lines = wrapped(right, widthOf({ columns: room }) - indent.length);
      return `  ${paint.strong(left.padEnd(width))}  ${lines.join(`\n${indent}`)}`.trimEnd();
    })
    .join('\n');
}

function written(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

/** `columns`: width of the terminal. */
export function help(command: Command | null, page: Page): string {
  return command === null ? overview(page) : helpOn(command, page);
}

function overview(page: Page): string {
  const { paint } = page;
  const parts = [
    ...wrapped(
      `Next: ${paint.strong('signalbox demo')} shows it work; ${paint.strong('signalbox up')} starts it, and in another terminal ${paint.strong('signalbox send hello "Say hello"')}`,
      widthOf(page),
    ),
    '',
    ...wrapped(
      'Many callers share one AI-agent session: one owner at a time, urgent ones preempt, nothing is lost.',
      widthOf(page),
    ),
    '',
    'Usage: signalbox COMMAND [flags]',
  ];
  for (const group of groups) {
    const rows = commands
      .filter((command) => command.group === group)
      .map((command) => [command.name, command.what] as const);
    parts.push('', `${group}:`, columns(rows, page));
  }
  parts.push(
    '',
    'Flags of every command:',
    columns(
      globalFlags.map((flag) => [written(flag), flag.what]),
      page,
    ),
  );
  parts.push(
    '',
    ...wrapped(
      'Exit codes: 0 done · 1 the task failed or was cancelled · 2 wrong use · 3 not found · 4 refused in the present state · 5 not authorized · 6 no daemon answers · 7 the data folder cannot be used',
      widthOf(page),
    ),
    '',
    '`signalbox COMMAND --help` has the flags and examples of a command.',
  );
  return parts.join('\n');
}

function helpOn(command: Command, page: Page): string {
  const { paint } = page;
  const parts = [
    ...wrapped(command.next, widthOf(page)),
    '',
    `Usage: ${synopsis(command)}`,
    '',
    ...wrapped(command.what, widthOf(page) - 2).map((line) => `  ${line}`),
  ];
  if (command.flags.length > 0) {
    parts.push(
      '',
      'Flags:',
      columns(
        command.flags.map((flag) => [written(flag), flag.what]),
        page,
      ),
    );
  }
  if (command.raw !== true) {
    parts.push(
      '',
      'Flags of every command:',
      columns(
        globalFlags.map((flag) => [written(flag), flag.what]),
        page,
      ),
    );
  }
  const examples = command.examples.map(
    ({ line, what }) => `  ${paint.strong(line)}${what === '' ? '' : `\n      ${what}`}`,
  );
  parts.push('', 'Examples:', ...examples);
  return parts.join('\n');
}
