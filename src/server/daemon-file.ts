/** `<dataDir>/daemon.json`: where the running daemon answers. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DaemonFile } from '../protocol/index.ts';
import { DaemonFileSchema, dataFiles, validate } from '../protocol/index.ts';

/** Written aside and renamed, so that a reader sees the old one or the new one. Returns what removes it again. */
export async function writeDaemonFile(dataDir: string, file: DaemonFile): Promise<() => Promise<void>> {
  const path = join(dataDir, dataFiles.daemon);
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  await rename(aside, path);
  return async () => {
    // A successor may have written its own by now.
    const found = await readDaemonFile(dataDir);
    if (found?.pid === file.pid && found.startedAt === file.startedAt) {
      await rm(path, { force: true });
    }
  };
}

/** Null when there is none, or none that can be read. */
export async function readDaemonFile(dataDir: string): Promise<DaemonFile | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dataDir, dataFiles.daemon), 'utf8'));
    const checked = validate(DaemonFileSchema, value);
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}
