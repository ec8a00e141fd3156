/** The help. Its first line says what to do next. */
import { synopsis } from './parse.ts';
import type { Paint } from './output/paint.ts';
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

/** Characters. */
const lineWidth = 110;

function columns(rows: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = ' '.repeat(width + 4);
  return rows
    .map(([left, right]) => {
      const lines = wrapped(right, lineWidth - indent.length);
      return `  ${paint.strong(left.padEnd(width))}  ${lines.join(`\n${indent}`)}`.trimEnd();
    })
    .join('\n');
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function written(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

export function help(command: Command | null, paint: Paint): string {
  return command === null ? overview(paint) : helpOn(command, paint);
}

function overview(paint: Paint): string {
  const parts = [
    `Next: ${paint.strong('signalbox demo')} shows it work; ${paint.strong('signalbox up')} starts it, and in another terminal ${paint.strong('signalbox send hello "Say hello"')}`,
    '',
    'Many callers share one AI-agent session: one owner at a time, urgent ones preempt, nothing is lost.',
    '',
    'Usage: signalbox COMMAND [flags]',
  ];
  for (const group of groups) {
    const rows = commands
      .filter((command) => command.group === group)
      .map((command) => [command.name, command.what] as const);
    parts.push('', `${group}:`, columns(rows, paint));
  }
  parts.push(
    '',
    'Flags of every command:',
    columns(
      globalFlags.map((flag) => [written(flag), flag.what]),
      paint,
    ),
  );
  parts.push(
    '',
    'Exit codes: 0 done · 1 the task failed or was cancelled · 2 wrong use · 3 not found · 4 refused in the present state',
    '            5 not authorized · 6 no daemon answers · 7 the data folder cannot be used',
    '',
    '`signalbox COMMAND --help` has the flags and examples of a command.',
  );
  return parts.join('\n');
}

function helpOn(command: Command, paint: Paint): string {
  const parts = [command.next, '', `Usage: ${synopsis(command)}`, '', `  ${command.what}`];
  if (command.flags.length > 0) {
    parts.push(
      '',
      'Flags:',
      columns(
        command.flags.map((flag) => [written(flag), flag.what]),
        paint,
      ),
    );
  }
  if (command.raw !== true) {
    parts.push(
      '',
      'Flags of every command:',
      columns(
        globalFlags.map((flag) => [written(flag), flag.what]),
        paint,
      ),
    );
  }
  const examples = command.examples.map(
    ({ line, what }) => `  ${paint.strong(line)}${what === '' ? '' : `\n      ${what}`}`,
  );
  parts.push('', 'Examples:', ...examples);
  return parts.join('\n');
}
