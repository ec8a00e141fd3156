/** What strangers and agents write, on a terminal. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ioOf } from '../../src/cli/io.ts';
import { harmless, harmlessButColour, harmlessJson, oneLine, paintFor, plain } from '../../src/cli/output/paint.ts';
import { table } from '../../src/cli/output/table.ts';
import { shortIds } from '../../src/cli/output/short-id.ts';
import { displayWidth } from '../../src/cli/output/width.ts';
import { help } from '../../src/cli/help.ts';
import { commands } from '../../src/cli/registry.ts';

/** Everything that moves the cursor, sets a title, changes the direction of text, or begins a line. */
const steers = /(?![\n\t])\p{Cc}|[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const colours = new RegExp(String.raw`\u001b\[[0-9;]*m`, 'g');

const hostile = fc.constantFrom(
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]52;c;ZXZpbA==\u001b\\',
  '\u009b31m',
  '\u0090q\u009c',
  '\r',
  '\b\b\b',
  '\u007f',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u0000',
  '\u0085',
);
const ordinary = fc.constantFrom('word', ' ', '\n', '\t', '漢字', '한국', '🚂', '👩‍👩‍👧', 'e\u0301', '\ud800', '"', '\\');
const foreign = fc
  .array(fc.oneof(hostile, ordinary, fc.string({ unit: 'binary' })), { maxLength: 12 })
  .map((parts) => parts.join(''));

/** A terminal, or a pipe, that keeps what it gets. */
function screen(terminal: boolean) {
  const got = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof got): NodeJS.WriteStream =>
    ({
      isTTY: terminal,
      columns: 80,
      write: (text: string, then?: () => void) => {
        got[name] += text;
        then?.();
        return true;
      },
    }) as NodeJS.WriteStream;
  const streams = { stdout: stream('stdout'), stderr: stream('stderr'), stdin: process.stdin };
  return { got, io: ioOf(() => streams, { env: {}, cwd: '/', json: true, paint: plain }) };
}

describe('on a terminal', () => {
  test('no foreign text steers it, also where a command prints it as it is', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        const { got, io } = screen(true);
        io.print(text);
        io.say(text);
        void io.write(text);
        expect(got.stdout.replaceAll(colours, '')).not.toMatch(steers);
        expect(got.stderr.replaceAll(colours, '')).not.toMatch(steers);
        expect(harmless(text)).not.toMatch(steers);
        expect(oneLine(text, 40)).not.toMatch(steers);
        expect(oneLine(text, 40)).not.toContain('\n');
      }),
      { numRuns: 500 },
    );
  });

  test('a document is the same value without a character that steers it', () => {
    fc.assert(
      fc.property(fc.record({ text: foreign, list: fc.array(foreign, { maxLength: 3 }) }), foreign, (value, name) => {
        const { got, io } = screen(true);
        const whole = { ...value, [`x${name}`]: 1 };
        io.document(whole);
        expect(got.stdout).not.toMatch(steers);
        expect(JSON.parse(got.stdout)).toEqual(whole);
        expect(got.stdout.indexOf('\n')).toBe(got.stdout.length - 1);
      }),
      { numRuns: 500 },
    );
  });

  test('its colours stay', async () => {
    const paint = await paintFor({ terminal: true, env: {} });
    const text = `${paint.bad('red')} ${paint.strong('strong')}`;
    expect(text).toContain('\u001b[');
    expect(harmlessButColour(text)).toBe(text);
  });

  test('a table is as wide as it, whatever the width of its letters', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(foreign, foreign), { minLength: 1, maxLength: 5 }), (rows) => {
        const { io } = screen(true);
        const cells = rows.map(([first, last]) => ({ cells: [oneLine(first, 20), last], paints: [] }));
        const lines = table(
          [
            { title: 'name', min: 5 },
            { title: 'text', min: 5 },
          ],
          cells,
          io,
        ).split('\n');
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(80);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('every column of a table is there where it has room, and optional ones go first where it has none', () => {
    const columns = [
      { title: 'ID' },
      { title: 'KEY', min: 8, cut: 'middle' as const },
      { title: 'TEXT', min: 10 },
      { title: 'MORE', optional: true as const },
    ];
    const rows = [{ cells: ['0198f0a2', 'github:acme/a-long-name#17', 'x'.repeat(100), 'background'], paints: [] }];
    const shown = (width: number, terminal = true): string[] =>
      table(columns, rows, { ...screen(terminal).io, columns: width }).split('\n');
    expect(shown(30)).toEqual(['ID        KEY       TEXT', `0198f0a2  gith…#17  ${'x'.repeat(9)}…`]);
    expect(shown(200)[1]).toBe(`0198f0a2  github:acme/a-long-name#17  ${'x'.repeat(100)}  background`);
    expect(shown(80)[0]).toMatch(/^ID +KEY +TEXT +MORE$/);
    expect(shown(80)[1]).toContain('github:acme/a-long-name#17');
    expect(displayWidth(shown(80)[1] ?? '')).toBe(80);
    expect(shown(30, false)).toEqual(shown(200));
  });

  test('an id is as short as is unique among those listed, and whole where it is not a UUID', () => {
    const [old, next, twin] = [
      '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11',
      '0198f0b7-0000-7c62-9d3e-0d6b5f0c2a11',
      '0198f0b7-0000-7d62-9d3e-0d6b5f0c2a11',
    ];
    const { io } = screen(true);
    expect([old, next, 'own'].map(shortIds([old, next, 'own'], io, { whole: true }))).toEqual([
      '0198f0a2-7c1e',
      '0198f0b7',
      'own',
    ]);
    expect([next, twin].map(shortIds([old, next, twin], io, { whole: true }))).toEqual([
      '0198f0b7-0000-7c62',
      '0198f0b7-0000-7d62',
    ]);
    expect([old, next].map(shortIds([old, next], io))).toEqual(['0198f0a2-7c1e', '0198f0b7-0000']);
    expect(shortIds([old], screen(false).io)(old)).toBe(old);
    const now = `${Date.now()
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})(.{4})$/, '$1-$2')}-7c62-9d3e-0d6b5f0c2a11`;
    expect(shortIds([now, old], io, { whole: true })(now)).toBe(now.slice(0, 13));
  });

  test('no line of the help is wider than it', () => {
    for (const command of [null, ...commands]) {
      for (const line of help(command, { paint: plain, columns: 80 }).split('\n')) {
        const example = command?.examples.some((one) => line.includes(one.line) || line.trim() === one.what);
        if (example !== true && !line.startsWith('Usage: ')) {
          expect(displayWidth(line), line).toBeLessThanOrEqual(80);
        }
      }
    }
  });

  test.each([
    ['abc', 3],
    ['漢字', 4],
    ['한국어', 6],
    ['ｆｕｌｌ', 8],
    ['🚂', 2],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['e\u0301a', 2],
    ['—…“”', 4],
  ])('%s takes its columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

test('a pipe gets every document and text as it is', () => {
  const { got, io } = screen(false);
  const text = 'a\u009b\u2028\u202e\u001b[2J';
  io.print(text);
  io.document({ text });
  expect(got.stdout).toBe(`${text}\n${JSON.stringify({ text })}\n`);
  expect(harmlessJson(JSON.stringify('\u2028'))).toBe('"\\u2028"');
});
