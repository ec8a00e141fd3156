/** What Signalbox needs of the machine: Node, its SQLite, a place for its data, a port. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { dataFiles } from '../../protocol/folder.ts';
import type { Check } from './check.ts';
import { missing, note, ok, reasonOf } from './check.ts';

const nodeNeeded = 24;

export function checkNode(version: string): Check {
  return Number(version.replace(/^v/, '').split('.')[0]) >= nodeNeeded
    ? ok('node', `${version} (${process.execPath})`)
    : missing('node', `${version} is older than ${nodeNeeded}`, `Install Node ${nodeNeeded}: https://nodejs.org`);
}

export async function checkSqlite(): Promise<Check> {
  try {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(':memory:');
    const row = database.prepare('SELECT sqlite_version() AS version').get();
    database.close();
    return ok('sqlite', `node:sqlite, SQLite ${String(row?.['version'])}`);
  } catch (error) {
    return missing(
      'sqlite',
      `node:sqlite does not work: ${reasonOf(error)}`,
      `Use a Node ${nodeNeeded} that was built with it.`,
    );
  }
}

/** One line for each thing that supervision lacks on this platform. */
export async function checkPlatform(platform: NodeJS.Platform, procMounted?: boolean): Promise<readonly Check[]> {
  if (platform === 'win32') {
    return [missing('platform', 'Windows is not supported', 'Run Signalbox in WSL 2.')];
  }
  const { platformLacks } = await import('../../supervise/platform/lacks.ts');
  const lacks = platformLacks(platform, procMounted);
  const name = { linux: 'Linux', darwin: 'macOS' }[String(platform)] ?? platform;
  if (lacks.length === 0) {
    return [ok('platform', `${name} ${process.arch}: it has all that supervision needs`)];
  }
  return lacks.map((lack) => note('platform', `${name}: ${lack.reason} ${lack.effect}`));
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

export function checkFolder(folder: string): Check {
  let at = folder;
  while (!existsSync(at)) {
    at = dirname(at);
  }
  try {
    const stat = statSync(at);
    if (!stat.isDirectory()) {
      return missing('data folder', `${at} is not a folder`, 'Remove it, or choose another with --data.');
    }
    accessSync(at, constants.R_OK | constants.W_OK | constants.X_OK);
    if (at !== folder) {
      return ok('data folder', `${folder} (made at the first \`signalbox up\`)`);
    }
    if ((stat.mode & 0o077) !== 0) {
      return missing(
        'data folder',
        `${folder} has mode ${octal(stat.mode)}: others may look in`,
        `chmod 700 '${folder}'`,
      );
    }
    return ok('data folder', `${folder}, mode ${octal(stat.mode)}`);
  } catch (error) {
    return missing(
      'data folder',
      `${folder} cannot be written: ${reasonOf(error)}`,
      'Give it to your user, or choose another with --data.',
    );
  }
}

export function checkToken(folder: string): Check {
  const file = join(folder, dataFiles.token);
  if (!existsSync(file)) {
    return note('token', 'none yet: made at the first `signalbox up`');
  }
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) {
      return missing('token', `${file} has mode ${octal(mode)}: others may read it`, `chmod 600 '${file}'`);
    }
    accessSync(file, constants.R_OK);
    return ok('token', `${file}, mode ${octal(mode)}`);
  } catch (error) {
    return missing(
      'token',
      reasonOf(error),
      'It must be a file of yours with mode 0600; remove it to have a new one made.',
    );
  }
}

/** Listens there for a moment. Not asked while our own daemon is there. */
export function checkPort(host: string, port: number): Promise<Check> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what =
        error.code === 'EADDRINUSE'
          ? `${host}:${port} is in use by another program`
          : `${host}:${port}: ${error.message}`;
      resolve(
        missing('port', what, 'Choose another: --port, SIGNALBOX_LISTEN_PORT or `listen.port`; 0 takes any free one.'),
      );
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(ok('port', port === 0 ? 'any free one' : `${host}:${port} is free`)));
    });
  });
}
