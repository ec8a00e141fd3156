/** Loads a module of the user: Node strips its types, and `signalbox` in it means the Signalbox that reads it. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A module that awaits something (a secret from a vault) may take this long. */
export const importDeadlineMs = 10_000;

export type Module = Readonly<{ [name: string]: unknown }>;

let known = false;

/**
 * A project without Signalbox among its dependencies can still say `import { defineConfig } from 'signalbox'`, and a runner may say so as late as
 * in its first task: the name is known from the first module on.
 */
function knowOwnName(): void {
  if (known) {
    return;
  }
  known = true;
  const own: { readonly [specifier: string]: URL } = {
    signalbox: new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url),
  };
  registerHooks({ resolve: (specifier, context, next) => next(own[specifier]?.href ?? specifier, context) });
}

/** Throws what the module throws. The deadline is for one that awaits: one that blocks the process is reported as a hang. */
export async function importModule(path: string, deadlineMs: number): Promise<Module> {
  const late = Promise.withResolvers<never>();
  const over = (): void => late.reject(new Error(`it is not over after ${deadlineMs} ms`));
  // It also keeps the process alive: Node would end it silently if only the `await` of the file is left.
  const timer = setTimeout(over, deadlineMs);
  try {
    knowOwnName();
    return await Promise.race([import(pathToFileURL(path).href) as Promise<Module>, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why it could not be loaded, for a message. */
export const importError = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
