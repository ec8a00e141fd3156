/**
 * What a database file says of itself, read without SQLite, which would recover, checkpoint or leave files beside it
 * (https://sqlite.org/fileformat2.html#the_database_header). Called under the store's lock only: to close a descriptor of a
 * database that the same process has open would drop SQLite's own locks on it.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { damaged } from './failure.ts';
import { applicationId, migrations } from './migrate.ts';
import { walPages } from './wal.ts';

export type Found = { readonly kind: 'none' } | { readonly kind: 'ours'; readonly version: number };

const magic = 'SQLite format 3\0';
const headerBytes = 100;

/** Throws `store_damaged`, `store_foreign` or `store_newer`. */
export function lookAt(path: string): Found {
  const file = readHeader(path);
  if (file === null || file.size === 0) {
    for (const log of [`${path}-wal`, `${path}-journal`]) {
      if (fileBytes(log) > 0) {
        throw damaged(`the file is empty or gone, and its log ${log} is there`);
      }
    }
    return { kind: 'none' };
  }
  const { header, size } = file;
  if (size < headerBytes) {
    throw damaged(`${size} bytes are less than a header`);
  }
  if (header.toString('latin1', 0, 16) !== magic) {
    throw damaged('it does not begin as a SQLite file does');
  }
  if (header.readUInt32BE(68) !== applicationId) {
    throw new AppError({
      code: 'store_foreign',
      message: `${path} is another program's database`,
    });
  }
  const version = header.readUInt32BE(60);
  if (version > migrations.length) {
    throw new AppError({
      code: 'store_newer',
      message: `the database has schema version ${version}; this program knows versions up to ${migrations.length}`,
    });
  }
  checkSize(path, header, size);
  return { kind: 'ours', version };
}

export const fileBytes = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A page that the file should have and does not must stand in the write-ahead log, else it is lost. */
function checkSize(path: string, header: Buffer, size: number): void {
  const stated = header.readUInt16BE(16);
  const pageBytes = stated === 1 ? 65_536 : stated;
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) {
    throw damaged(`a page cannot have ${pageBytes} bytes`);
  }
  if (header.toString('hex', 21, 24) !== '402020') {
    throw damaged('its header is not that of a SQLite file');
  }
  const log = walPages(`${path}-wal`, pageBytes);
  const pages = header.readUInt32BE(28);
  for (let page = Math.floor(size / pageBytes) + 1; page <= pages; page += 1) {
    if (!log.has(page)) {
      throw damaged(`it has ${size} bytes, and ${pages * pageBytes} were written`);
    }
  }
}

function readHeader(path: string): { readonly header: Buffer; readonly size: number } | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
  try {
    const header = Buffer.alloc(headerBytes);
    readSync(fd, header, 0, headerBytes, 0);
    return { header, size: fstatSync(fd).size };
  } finally {
    closeSync(fd);
  }
}
