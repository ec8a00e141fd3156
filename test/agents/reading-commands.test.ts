/** Which shell commands are taken for reading: whatever is not understood completely is none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onlyReads, scriptOf } from '../../src/agents/shared/reading-commands.ts';

describe('a command that reads', () => {
  test.each([
    ['cat README.md', 'read'],
    ["sed -n '1,200p' src/core/step.ts", 'read'],
    ['cat a.txt | head -5 && wc -l b.txt', 'read'],
    ['head -n 3 \'a file.txt\' "and another.txt"', 'read'],
    ['cd src && cat index.ts', 'read'],
    ['cat a 2>/dev/null; cat b 2>&1', 'read'],
    ['cat *.md', 'read'],
    ['ls -la', 'search'],
    ['grep -rn "two words" src | head', 'search'],
    ["rg -n --glob '!dist' pattern src", 'search'],
    ["find . -name '*.ts' -not -path './node_modules/*' -type f", 'search'],
  ])('is of the kind %s: %s', (script, reading) => {
    expect(onlyReads(script)).toBe(reading);
  });
});

/** What Codex 0.169.0 calls reading or searching, and is not. */
const mistaken = ['find . -delete', 'cat a | tee b', 'rg -n x | xargs rm', 'rg --pre rm x', `awk '{system("rm x")}' a`];

describe('a command that does more than read, or may,', () => {
  test.each([
    ...mistaken,
    'rm a',
    'cat a > b',
    'cat a >> b',
    'cat < a',
    'cat $HOME/a',
    'cat $(rm b)',
    'cat `rm b`',
    'cat "$(rm b)"',
    'cat "`rm b`"',
    'cat a & rm b',
    '(cat a)',
    '{ cat a; }',
    '! cat a',
    'cat a # and b',
    'A=1 cat a',
    'cat a\nrm b',
    'cat a\\\n; rm b',
    'cat <<EOF\nx\nEOF',
    'cat <(rm b)',
    '/bin/cat a',
    './cat a',
    'c*t a',
    "find . -exec rm '{}' ';'",
    'find . -fprint b',
    'find *',
    'sed -i 1,2p a',
    "sed -n '1w b' a",
    "sed -n '1,2p' a -i",
    'sed 1,2p a',
    'rg -z x',
    'rg --search-zip x',
    'rg --hostname-bin=x y',
    'sort -o a a',
    'uniq a b',
    'tee a',
    'bat a',
    'git status',
    'env cat a',
    'sudo cat a',
    'cat a |',
    '| cat a',
    'cat a ;; cat b',
    'cat "a',
    "cat 'a",
    '',
    '   ',
    'constructor',
    'cat a 2>b',
    'cat a 2>/dev/nullx',
  ])('is not read-only: %j', (script) => {
    expect(onlyReads(script)).toBeNull();
  });

  test('is not read-only behind a harmless command', () => {
    const harmless = fc.constantFrom('cat a', 'ls -la src', "grep -n 'x y' a", 'head -3 a | wc -l');
    const tail = fc.constantFrom(
      '; rm b',
      ' && rm b',
      ' || rm b',
      ' | sh',
      ' & rm b',
      '\nrm b',
      ' > b',
      ' $(rm b)',
      ' `rm b`',
      ' "$(rm b)"',
      ' <(rm b)',
      ' >(rm b)',
      ' 2>b',
      ' ${x:=rm}',
    );
    fc.assert(
      fc.property(harmless, tail, (script, more) => {
        expect(onlyReads(script)).not.toBeNull();
        expect(onlyReads(script + more)).toBeNull();
      }),
    );
  });

  test('gets an answer without an exception, whatever its text', () => {
    const piece = fc.constantFrom(
      'cat',
      ' ',
      'a',
      "'",
      '"',
      '|',
      '&&',
      ';',
      '$',
      '`',
      '(',
      ')',
      '\n',
      '*',
      '2>',
      '/dev/null',
      '\\',
      'find',
      '-name',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        const reading = onlyReads(pieces.join(''));
        expect(reading === null || !/[$`()\\]/.test(pieces.join('').replace(/'[^']*'/g, ''))).toBe(true);
      }),
    );
  });
});

describe('the script of a command, as Codex 0.169.0 quotes it', () => {
  test.each([
    [`/bin/bash -lc ls`, `ls`],
    [`/bin/bash -lc 'cat a.txt'`, `cat a.txt`],
    [`/bin/bash -lc "echo 'it'"`, `echo 'it'`],
    [`/bin/bash -lc 'echo "it"'`, `echo "it"`],
    [`/bin/bash -lc "echo 'it' \\""'$X"'`, `echo 'it' "$X"`],
    ['/bin/bash -lc "echo it\'s \\"a\\" "\'`b` $c \'"\\\\ "\'!\'', 'echo it\'s "a" `b` $c \\ !'],
    [`/bin/bash -lc 'a\nb'`, `a\nb`],
    [`/bin/bash -lc "x='"'!'"' ; y"`, `x='!' ; y`],
    [`zsh -c 'ls -la'`, `ls -la`],
  ])('is found in %j', (command, script) => {
    expect(scriptOf(command)).toBe(script);
  });

  test.each([`/bin/bash -lc 'ls' extra`, `bash script.sh`, `/bin/bash -lc 'not closed`, `python -c 'x'`])(
    'is the whole of %j, which runs no script',
    (command) => {
      expect(scriptOf(command)).toBe(command);
      expect(onlyReads(scriptOf(command))).toBeNull();
    },
  );
});
