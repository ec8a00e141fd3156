/** Lists of the core stand in the core. Whoever needs one imports it: a copy would compile without the member that is new. */
import { describe, expect, test } from 'vitest';
import { stopScopes } from '../../src/core/model/inputs.ts';
import {
  lanes,
  onLostPolicies,
  taskModes,
  taskStages,
  taskStatuses,
  whenBusyPolicies,
} from '../../src/core/model/task.ts';
import { turnOutcomes } from '../../src/core/model/session.ts';
import { actionKinds, permissionModes } from '../../src/core/model/permission.ts';
import { read, sourcesUnder } from './files.ts';
import { withoutComments } from './rules.ts';

const lists: { readonly [name: string]: readonly string[] } = {
  lanes,
  whenBusyPolicies,
  onLostPolicies,
  taskModes,
  taskStages,
  taskStatuses,
  turnOutcomes,
  permissionModes,
  actionKinds,
  stopScopes,
};

/** Names of the lists whose first three members stand side by side in the code, as a list or as a union of types. */
function copiesIn(text: string): readonly string[] {
  const code = withoutComments(text);
  return Object.entries(lists)
    .filter(([, members]) =>
      new RegExp(
        members
          .slice(0, 3)
          .map((one) => `'${one}'`)
          .join('\\s*[,|]\\s*'),
      ).test(code),
    )
    .map(([name]) => name);
}

describe('a copy of a list of the core', () => {
  test.each([
    ["const lanes = ['interactive', 'background'] as const;", ['lanes']],
    ["type Lane = 'interactive' | 'background';", ['lanes']],
    [`enum: [\n${whenBusyPolicies.map((one) => `  '${one}',\n`).join('')}]`, ['whenBusyPolicies']],
    ["const lane = 'interactive';", []],
  ])('is found: %s', (code, names) => {
    expect(copiesIn(code)).toEqual(names);
  });

  test('does not occur in another layer', () => {
    const sources = sourcesUnder('src').filter(
      // What a migration writes stays as it was when it was written; SQL has no imports.
      (path) => !path.startsWith('src/core/') && !path.includes('/migrations/') && !path.endsWith('/sql.ts'),
    );
    expect(sources.flatMap((path) => copiesIn(read(path)).map((name) => `${path}: ${name}`))).toEqual([]);
  });
});
