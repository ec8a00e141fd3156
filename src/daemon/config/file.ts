/** Loads `signalbox.config.ts`: Node strips its types, and `signalbox` in it means the Signalbox that reads it. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { existsSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { formerKeys } from '../../protocol/former-names.ts';
import type { Finding } from '../../protocol/findings.ts';
import { checkConfig, type ConfigFile } from './schema.ts';

const bad = (message: string, hint: string, cause?: unknown): AppError =>
  new AppError({ code: 'bad_config', message, hint, cause });

/** Keys that people look for in the file and that are elsewhere, with where. */
const elsewhere: { readonly [path: string]: string } = {
  '/dataDir': 'The data folder is chosen by --data or SIGNALBOX_DATA, so that every command finds it.',
  '/data': 'The data folder is chosen by --data or SIGNALBOX_DATA, so that every command finds it.',
  '/agent/cwd':
    "Each session has its own folder; choose another one with `workspaces: [{ session: '*', folder: '…' }]`.",
  '/token': 'The token is in the file `token` of the data folder.',
};

/** `/limits/maxOpen` as a person writes it. */
const dotted = (pointer: string): string =>
  pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');

export function findingLine({ path, message, hint }: Finding): string {
  const key = dotted(path);
  if (Object.hasOwn(formerKeys, key)) {
    return `${key} is now ${formerKeys[key]}`;
  }
  const more = elsewhere[path] ?? hint;
  return `${path === '' ? 'the configuration' : key} ${message}${more === undefined ? '' : `. ${more}`}`;
}

/** A project without Signalbox among its dependencies can still say `import { defineConfig } from 'signalbox'`. */
function withOwnName<T>(load: () => Promise<T>): Promise<T> {
  const own: { readonly [specifier: string]: URL } = {
    signalbox: new URL(import.meta.url.endsWith('.ts') ? '../../index.ts' : '../../index.js', import.meta.url),
  };
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(own[specifier]?.href ?? specifier, context),
  });
  return load().finally(() => hooks.deregister());
}

/** A file that awaits something (a secret from a vault) may take this long. */
const loadDeadlineMs = 10_000;

async function defaultExport(path: string, deadlineMs: number): Promise<unknown> {
  let module: { readonly default?: unknown };
  const late = Promise.withResolvers<never>();
  const over = (): void => late.reject(new Error(`it is not over after ${deadlineMs} ms`));
  // It also keeps the process alive: Node would end it silently if only the `await` of the file is left.
  const timer = setTimeout(over, deadlineMs);
  try {
    const load = () => import(pathToFileURL(path).href) as Promise<{ readonly default?: unknown }>;
    module = await Promise.race([withOwnName(load), late.promise]);
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw bad(
      `${path} could not be loaded: ${what}`,
      'Node runs it as it is: `node FILE` shows the same error with its place.',
      error,
    );
  } finally {
    clearTimeout(timer);
  }
  if (module.default === undefined) {
    throw bad(
      `${path} has no default export`,
      'It must say `export default defineConfig({ … })`; docs/configuration.md begins with one.',
    );
  }
  return module.default;
}

/** Throws `AppError` `bad_config` that names every wrong place of the file. */
export async function loadConfigFile(path: string, deadlineMs = loadDeadlineMs): Promise<ConfigFile> {
  if (!existsSync(path)) {
    throw bad(`there is no file ${path}`, 'Name another with --config, or leave it out.');
  }
  const checked = checkConfig(await defaultExport(path, deadlineMs));
  if (checked.ok) {
    return checked.config;
  }
  const lines = checked.findings.map((finding) => `  ${findingLine(finding)}`);
  throw bad(
    `${path} is wrong in ${lines.length === 1 ? 'one place' : `${lines.length} places`}:\n${lines.join('\n')}`,
    'docs/configuration.md has every key.',
  );
}
