/** Links between the pages of the repository: a renamed page or heading must not leave a link behind. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { read, root, trackedFiles } from './files.ts';

/** Anchors of a page, made from its headings as GitHub makes them. */
const anchorsOf = (path: string): ReadonlySet<string> =>
  new Set(
    [...read(path).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

const pages = trackedFiles().filter((path) => path.endsWith('.md') && !path.includes('fixtures/'));

test.each(pages)('every link of %s leads to a file and to a heading in it', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
  const broken = links.filter(([, path = '', anchor]) => {
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) {
      return true;
    }
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});
