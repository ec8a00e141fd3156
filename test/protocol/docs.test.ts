/** docs/http-api.md against the route table. */
import { expect, test } from 'vitest';
import { errorCodes, operations, routes, isErrorCode } from '../../src/protocol/index.ts';
import { read } from '../tidy/files.ts';

const page = read('docs/http-api.md');

test('the page of the API lists every route, and no other one', () => {
  const rows = [...page.matchAll(/^\| `((?:GET|POST|PATCH) \/\S+)` \|/gm)].map(([, route = '']) => route);
  expect(rows.toSorted()).toEqual(
    operations.map((operation) => `${routes[operation].method} ${routes[operation].path}`).toSorted(),
  );
});

test('the page of the API names statuses and codes as the table has them', () => {
  const named = [...page.matchAll(/(\d{3}) `([a-z_]+)`/g)].map(
    ([, status, code]) => [Number(status), code ?? ''] as const,
  );
  expect(named.length).toBeGreaterThan(7);
  expect(named.filter(([status, code]) => !isErrorCode(code) || errorCodes[code].status !== status)).toEqual([]);
});
