/** Loads `signalbox.config.ts` and checks it. */
import { existsSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { formerKeys } from '../../protocol/former-names.ts';
import type { Finding } from '../../protocol/findings.ts';
import { importDeadlineMs, importError, importModule } from '../import-module.ts';
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

async function defaultExport(path: string, deadlineMs: number): Promise<unknown> {
  const module = await importModule(path, deadlineMs).catch((error: unknown) => {
    throw bad(
      `${path} could not be loaded: ${importError(error)}`,
      'Node runs it as it is: `node FILE` shows the same error with its place.',
      error,
    );
  });
  if (module['default'] === undefined) {
    throw bad(
      `${path} has no default export`,
      'It must say `export default defineConfig({ … })`; docs/configuration.md begins with one.',
    );
  }
  return module['default'];
}

/** Throws `AppError` `bad_config` that names every wrong place of the file. */
export async function loadConfigFile(path: string, deadlineMs = importDeadlineMs): Promise<ConfigFile> {
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
