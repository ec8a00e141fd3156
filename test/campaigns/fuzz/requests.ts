/** Requests of every route and hook, from their schemas and from recorded deliveries; each is made of one number. */
import fc from 'fast-check';
import type { Operation, Route } from '../../../src/protocol/index.ts';
import { operations, routes } from '../../../src/protocol/index.ts';
import { signDelivery } from '../../../src/gateways/github/signature.ts';
import { signStandardDelivery } from '../../../src/gateways/standard-webhooks/hook.ts';
import { examples } from '../../support/deliveries.ts';
import { nearlyRight, rightValue } from './values.ts';

export interface Wanted {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<{ [name: string]: string }>;
  readonly body: string | null;
}

/** What is in every daemon that the campaign starts. */
export const secrets = {
  github: 'a secret of the campaign',
  hook: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
} as const;

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined').slice(0, 6_000);

const wellFormed = (text: string): string => text.replace(/[\ud800-\udfff]/gu, '\ufffd');
const encoded = (text: string): string => encodeURIComponent(wellFormed(text));

function pathOf({ path }: Route, values: unknown, ids: readonly string[], pick: number): string {
  const given = (typeof values === 'object' && values !== null ? values : {}) as { readonly [name: string]: unknown };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const known = name === 'id' && pick % 3 > 0 ? ids[pick % Math.max(1, ids.length)] : undefined;
    return encoded(
      known ?? (name === 'key' && pick % 3 > 0 ? `fuzz-${pick % 5}` : textOf(given[name] ?? 'x')).slice(0, 900),
    );
  });
}

const searchOf = (query: unknown): string =>
  typeof query !== 'object' || query === null
    ? ''
    : Object.entries(query)
        .flatMap(([name, value]) => [value].flat().map((one) => `${encoded(name)}=${encoded(textOf(one))}`))
        .join('&')
        .slice(0, 4_000);

/** How a body can be broken whatever it says. */
const breaks: readonly ((body: string) => string)[] = [
  (body) => body,
  (body) => body,
  (body) => body,
  (body) => body.slice(0, body.length >> 1),
  (body) => `${body}${body}`,
  () => '',
  () => '['.repeat(30_000),
  (body) => `\ufeff${body}`,
];

const headerSets: readonly Readonly<{ [name: string]: string }>[] = [
  {},
  {},
  {},
  { accept: 'text/event-stream' },
  { accept: 'image/png' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'idempotency-key': 'one-of-a-few' },
  { 'idempotency-key': 'x'.repeat(300) },
  { 'last-event-id': '12' },
  { 'last-event-id': 'zz zz' },
];

const routeRequest = (operation: Operation, ids: readonly string[]): fc.Arbitrary<Wanted> => {
  const route: Route = routes[operation];
  const none = fc.constant(undefined);
  return fc
    .record({
      params: route.params === undefined ? none : nearlyRight(route.params),
      query: route.query === undefined ? fc.oneof(none, fc.constant({ odd: 1 })) : nearlyRight(route.query),
      body: route.body === undefined ? none : nearlyRight(route.body),
      broken: fc.constantFrom(...breaks),
      headers: fc.constantFrom(...headerSets),
      pick: fc.nat(1_000),
      session: rightValue({ type: 'string', enum: ['fuzz-0', 'fuzz-1', 'fuzz-2', 'fuzz-3', 'fuzz-4'] }),
    })
    .map(({ params, query, body, broken, headers, pick, session }) => {
      const search = searchOf(query);
      const named =
        operation === 'submitTask' && typeof body === 'object' && body !== null && pick % 4 > 0
          ? { ...body, session }
          : body;
      return {
        method: route.method,
        path: `${pathOf(route, params, ids, pick)}${search === '' ? '' : `?${search}`}`,
        headers: { 'content-type': 'application/json', ...headers },
        body: named === undefined || route.method === 'GET' ? null : broken(wellFormed(JSON.stringify(named) ?? '')),
      };
    });
};

interface Signed {
  readonly kind: 'github' | 'alerts' | 'unsigned';
  readonly event: string;
  readonly payload: unknown;
  readonly delivery: string;
}

let recorded: ReturnType<typeof examples> | null = null;

const hookDelivery = (): fc.Arbitrary<Signed> => {
  recorded ??= examples();
  return fc
    .record({
      kind: fc.constantFrom('github' as const, 'github' as const, 'alerts' as const, 'unsigned' as const),
      example: fc.constantFrom(...recorded),
      wrong: fc.jsonValue(),
      isWrong: fc.boolean(),
      delivery: fc.uuid(),
    })
    .map(({ kind, example, wrong, isWrong, delivery }) => ({
      kind,
      event: example.event,
      payload: isWrong ? { ...example.payload, action: wrong, repository: wrong } : example.payload,
      delivery,
    }));
};

async function signed({ kind, event, payload, delivery }: Signed): Promise<Wanted> {
  if (kind === 'alerts') {
    const { headers, body } = signStandardDelivery({ secret: secrets.hook, id: delivery, sentAt: new Date(), payload });
    return { method: 'POST', path: '/hooks/alerts', headers, body: String(body) };
  }
  const { headers, body } = await signDelivery({ event, delivery, payload, secret: secrets.github });
  const broken = kind === 'unsigned' ? { 'x-hub-signature-256': 'sha256=00' } : {};
  return { method: 'POST', path: '/hooks/github', headers: { ...headers, ...broken }, body: String(body) };
}

const one = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T => {
  const [value] = fc.sample(arbitrary, { seed, numRuns: 1 });
  return value as T;
};

/** The request of this number. `ids`: of tasks that are known. */
export async function requestOf(seed: number, ids: readonly string[]): Promise<Wanted> {
  if (seed % 8 === 0) {
    return signed(one(hookDelivery(), seed));
  }
  return one(routeRequest(one(fc.constantFrom(...operations), seed), ids), seed);
}
