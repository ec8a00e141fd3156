/** What one real program needs during a test: its file, its environment, the fake model that answers it, and folders. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model, Rule } from './model/index.ts';
import { startModel } from './model/index.ts';
import type { Environment, RealProgram } from './programs.ts';
import { environmentOf, locate } from './programs.ts';

export interface ProgramSetup extends AsyncDisposable {
  readonly program: RealProgram;
  /** The program, absolute. */
  readonly command: string;
  /** Its whole environment. */
  readonly env: Environment;
  readonly model: Model;
  /** Its home, with its settings in it. */
  readonly home: string;
  /** A new empty folder, which is removed with the setup. */
  folder(name: string): string;
}

/** Throws where the program is not there: call `locate` before. */
export async function setUpProgram(program: RealProgram, rules: readonly Rule[] = []): Promise<ProgramSetup> {
  const located = locate(program.name);
  if (located.kind === 'absent') {
    throw new Error(`${program.name}: ${located.why}`);
  }
  const root = mkdtempSync(join(tmpdir(), `signalbox-e2e-${program.name}-`));
  const model = await startModel({ rules });
  const home = join(root, 'home');
  let folders = 0;
  return {
    program,
    command: located.file,
    env: environmentOf(program, home, model.url),
    model,
    home,
    folder(name) {
      const path = join(root, `${++folders}-${name}`);
      mkdirSync(path);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await model[Symbol.asyncDispose]();
      // A program that was just ended may still write its last file.
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
