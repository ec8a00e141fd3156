/** The scenarios that tests cite, and the last column of docs/scenarios.md, which names the files that cite each. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sourcesUnder } from '../tidy/files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const idPattern = /\b(?:[BCDFNTSGW]\d{2}|U\d)\b/g;
const rowPattern = /^\| (?<id>[A-Z]\d{1,2}) \| (?<happens>[^|]+) \| (?<holds>[^|]+) \|[^|]*\|$/gm;

/** Each id that a test cites, with the files that do. */
export function citedScenarios(): ReadonlyMap<string, readonly string[]> {
  const cited = new Map<string, string[]>();
  const tests = sourcesUnder('test', 'sim', 'src/testing').filter(
    (path) => !/fixtures|support|tidy|\/record\//.test(path),
  );
  for (const path of tests) {
    for (const id of new Set(readFileSync(root + path, 'utf8').match(idPattern))) {
      cited.set(id, [...(cited.get(id) ?? []), path]);
    }
  }
  return cited;
}

export function scenariosIn(page: string): readonly string[] {
  return [...page.matchAll(rowPattern)].map((match) => match.groups?.['id'] ?? '');
}

/** The page with its last column written anew. */
export function scenariosMade(page: string): string {
  const cited = citedScenarios();
  return page.replaceAll(rowPattern, (_row, id: string, happens: string, holds: string) => {
    const links = (cited.get(id) ?? []).map((path) => `[${path.split('/').at(-1)}](../${path})`);
    return `| ${id} | ${happens} | ${holds} | ${links.join(', ')} |`;
  });
}
