/** What every demo needs: a deadline, an end by signals, and parts that are ended and removed in any case. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';

/** A daemon, a server or a folder that the demo has made. */
export interface Part {
  readonly end: () => Promise<unknown>;
  /** Removes its folder. */
  readonly clean: () => void;
}

interface Stage {
  readonly signal: AbortSignal;
  /** The part that the others need comes first, and is ended last. */
  readonly adopt: (part: Part) => void;
}

/** Resolves with what `work` resolves with, or with 130 after a signal. Throws `aborted` after `deadlineMs`. */
export async function onStage(deadlineMs: number, work: (stage: Stage) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  const cut = Promise.withResolvers<number>();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      cut.resolve(130);
      stop.abort();
    });
  }
  const message = `the demo did not end within ${deadlineMs / 1000} s; the machine may be very busy`;
  const late = setTimeout(() => {
    cut.reject(new AppError({ code: 'aborted', message }));
    stop.abort();
  }, deadlineMs);
  const parts: Part[] = [];
  let over = false;
  const adopt = (part: Part): void => {
    if (over) {
      // It was being started when the demo was cut off.
      void part.end().finally(() => part.clean());
      return;
    }
    parts.push(part);
  };
  try {
    return await Promise.race([work({ signal: stop.signal, adopt }), cut.promise]);
  } finally {
    over = true;
    clearTimeout(late);
    await endAll(parts);
  }
}

async function endAll([first, ...others]: readonly Part[]): Promise<void> {
  for (const layer of [others, first === undefined ? [] : [first]]) {
    await Promise.all(layer.map((part) => part.end()));
    for (const part of layer) {
      part.clean();
    }
  }
}

/**
 * A folder in `base`, by default the temporary one of the system. Until `clean` has run, the exit of the process removes it after `last`: the way out
 * where nothing can be awaited any more, as when our reader goes away (`signalbox demo | head`).
 */
export function demoFolder(
  last: () => void = () => {},
  base = tmpdir(),
): { readonly path: string; readonly clean: () => void } {
  const path = mkdtempSync(join(base, 'signalbox-demo-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  const leave = (): void => {
    last();
    remove();
  };
  process.once('exit', leave);
  return {
    path,
    clean: () => {
      process.off('exit', leave);
      remove();
    },
  };
}
