/** What the front page and the docs say is what the program does. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from '../../src/cli/parse.ts';
import { routes } from '../../src/protocol/routes.ts';
import { SubmitRequestSchema } from '../../src/protocol/tasks.ts';
import { validate } from '../../src/protocol/validate.ts';
import { Cli } from '../support/cli.ts';
import { madePages, pageMade, root } from '../support/docs.ts';
import { runNode } from '../support/node.ts';

const page = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = page('README.md');

/** The fenced blocks of a language. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code);

/** Commands of the shell blocks, without comments and continuations. */
const shell = (text: string): string[] =>
  blocks(text, 'sh')
    .join('')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.replace(/\s+#.*$/, '').split(' && '))
    .filter((line) => line !== '');

const words = (line: string): string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

/** A line of the demo without what differs from run to run: numbers, and the lengths of tracks. */
const normal = (line: string): string =>
  line
    .replace(/\d+(?:\.\d+)?/g, 'N')
    .replace(/[━┄·]+/g, '~')
    .replace(/ +/g, ' ')
    .trim();

describe('the front page', () => {
  test('shows what the demo prints', async () => {
    await using cli = new Cli();
    const { code, stdout } = await cli.run(['demo']);
    expect(code).toBe(0);
    const printed = stdout.trimEnd().split('\n').map(normal);
    const [transcript = ''] = blocks(readme, 'text');
    const shown = transcript
      .trimEnd()
      .split('\n')
      .map(normal)
      .filter((line) => line !== '…');
    // Where three events fall into one millisecond, their order on the stream may differ: tracks are drawn as they stood,
    // and the second delivery may find the background task still draining, or the first delivery's.
    const loose = (lines: readonly string[]): string[] =>
      lines.map((line) =>
        line
          .replace(/^(N )[○●┃┊╏╳◌■ ]+/, '$1')
          .replace(/^([ABC]) ~●/, '$1 ●')
          .replace(/; (?:A|B|C|background) has the session$/, '; its owner has the session'),
      );
    expect(loose(shown).filter((line) => !loose(printed).includes(line))).toEqual([]);
    expect([shown[0], shown.at(-1)]).toEqual([printed[0], printed.at(-1)]);
    const left = loose(printed).filter((line) => !loose(shown).includes(line) && !/step N\/N/.test(line));
    expect(left).toEqual([]);
  });

  test('names only commands that exist', () => {
    const { scripts } = JSON.parse(page('package.json')) as { readonly scripts: { readonly [name: string]: string } };
    const told = shell(readme);
    expect(told.filter((line) => line.startsWith('npx signalbox')).length).toBeGreaterThan(3);
    for (const line of told) {
      const [first, second = '', ...rest] = words(line);
      if (first === 'npx') {
        expect(() => parse(rest), line).not.toThrow();
      } else if (first === 'npm') {
        expect([...Object.keys(scripts), 'ci'], line).toContain(second === 'run' ? rest[0] : second);
      } else {
        expect(first, line).toBe('curl');
      }
    }
  });

  test('has a request that fits the API', () => {
    const [request = ''] = shell(readme).filter((line) => line.startsWith('curl'));
    const body: unknown = JSON.parse(/-d '(.*?)'/.exec(request)?.[1] ?? '');
    expect(validate(SubmitRequestSchema, body)).toMatchObject({ ok: true });
    expect(request).toContain(`http://127.0.0.1:7070${routes.submitTask.path}`);
  });

  test('has a program that runs', async () => {
    await using cli = new Cli();
    const [code = ''] = blocks(readme, 'ts');
    const file = join(cli.folder, 'readme.ts');
    writeFileSync(file, code);
    const own = pathToFileURL(join(root, 'src/index.ts')).href;
    const hook = `import{registerHooks}from'node:module';registerHooks({resolve:(s,c,n)=>n(s==='signalbox'?'${own}':s,c)});`;
    const ran = await runNode(['--import', `data:text/javascript,${encodeURIComponent(hook)}`, file]);
    expect(ran).toMatchObject({ code: 0, stdout: 'completed\n', stderr: '' });
  });

  test('states in few lines what Signalbox guarantees and what it does not do', () => {
    const listed = (title: string): number =>
      (
        readme
          .split(`## ${title}`)[1]
          ?.split('\n## ')[0]
          ?.match(/^\d\. /gm) ?? []
      ).length;
    expect([listed('What it guarantees'), listed('What it does not do')]).toEqual([5, 5]);
  });
});

test.each(['README.md', 'docs/cli.md', 'docs/configuration.md'])('%s has no broken link', (path) => {
  const links = [...page(path).matchAll(/\]\((?!https?:)([^)#]*)/g)].map(([, to = '']) => to).filter((to) => to !== '');
  expect(links.filter((to) => !existsSync(resolve(dirname(join(root, path)), to)))).toEqual([]);
});

test.each(madePages)('%s matches the code that makes it: node test/support/docs.ts', (path) => {
  expect(page(path)).toBe(pageMade(path, page(path)));
});

test('every command in docs/cli.md is a command of the program', () => {
  for (const line of shell(page('docs/cli.md')).filter((one) => one.startsWith('npx signalbox'))) {
    expect(() => parse(words(line).slice(2)), line).not.toThrow();
  }
});

test('the configuration of docs/configuration.md is accepted', async () => {
  await using cli = new Cli();
  const [code = ''] = blocks(page('docs/configuration.md'), 'ts');
  writeFileSync(join(cli.folder, 'signalbox.config.ts'), code.replace('7070', '0'));
  const { checks } = await cli.json(['doctor']);
  expect(checks).toContainEqual(expect.objectContaining({ name: 'configuration', state: 'ok' }));
});
