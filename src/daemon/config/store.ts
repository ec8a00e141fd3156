/**
 * Which store the configuration means. `DATABASE_URL` counts only where the configuration says `postgres`: many programs have
 * one in their environment, and a database that nobody chose must not take the place of the one with the tasks.
 */
import { AppError } from '../../core/errors.ts';
import type { Environment } from './environment.ts';

export type StorePlace =
  | { readonly kind: 'sqlite' }
  /** `url` empty: the variables PG* name it. `name`: what people are told, without a password. */
  | { readonly kind: 'postgres'; readonly url: string; readonly name: string };

/** Throws `bad_config`, which says nothing of the URL itself: it may hold a password. */
export function storeOf(given: string, environment: Environment): StorePlace {
  if (given === 'sqlite') {
    return { kind: 'sqlite' };
  }
  if (given !== 'postgres') {
    return placeOf(given, 'store');
  }
  const { DATABASE_URL: url = '', PGHOST: host = '', PGDATABASE: database = '', PGPORT: port = '' } = environment;
  if (url !== '') {
    return placeOf(url, 'DATABASE_URL');
  }
  if (host === '' && database === '') {
    throw new AppError({
      code: 'bad_config',
      message: 'the store is `postgres`, and neither DATABASE_URL nor PGHOST nor PGDATABASE is set',
      hint: 'Give the URL of the database: `--store postgres://USER@HOST/DATABASE`, or DATABASE_URL.',
    });
  }
  const at = `${host === '' ? 'localhost' : host}${port === '' ? '' : `:${port}`}`;
  return { kind: 'postgres', url: '', name: `postgres://${at}/${database}` };
}

/** Throws `bad_config`. */
export function checkListenUrl(url: string): void {
  placeOf(url, 'node.listenUrl');
}

function placeOf(url: string, written: string): StorePlace {
  const parsed = parse(url);
  if (parsed === null) {
    throw new AppError({
      code: 'bad_config',
      message: `${written} is not the URL of a Postgres database`,
      hint: 'It must be postgres://USER@HOST:PORT/DATABASE; write `@`, `:`, `/` and `#` in a password as %40, %3A, %2F and %23.',
    });
  }
  return { kind: 'postgres', url, name: nameOf(parsed) };
}

/** Null: `pg` could not read it. It accepts a user without a host, for a socket: `postgres://user@/database?host=/run/postgresql`. */
function parse(url: string): URL | null {
  try {
    const parsed = new URL(url.replace('@/', '@localhost/'));
    decodeURIComponent(parsed.username + parsed.password);
    return /^postgres(?:ql)?:$/.test(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

/** The parameters may hold a password as well, so only the host is taken from them. */
function nameOf({ username, hostname, port, pathname, searchParams }: URL): string {
  const user = username === '' ? '' : `${username}@`;
  const host = searchParams.get('host') ?? (hostname === '' ? 'localhost' : hostname);
  return `postgres://${user}${host}${port === '' ? '' : `:${port}`}${pathname}`;
}

/** The password of the URL, as it stands there and as the server gets it. That of PGPASSWORD is a secret of the environment. */
export function passwordsOf(place: StorePlace): readonly string[] {
  return place.kind === 'postgres' ? passwordsIn(place.url) : [];
}

export function passwordsIn(url: string): readonly string[] {
  const parsed = parse(url);
  if (parsed === null) {
    return [];
  }
  const written = [parsed.password, parsed.searchParams.get('password') ?? ''];
  return [...new Set([...written, ...written.map(decodeURIComponent)])].filter((text) => text !== '');
}
