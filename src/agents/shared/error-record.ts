/** An error as plain data: what a structured clone, and JSON even more so, would lose of it. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly code?: string;
  readonly cause?: ErrorRecord;
  /** Of an AggregateError, the first ten. */
  readonly errors?: readonly ErrorRecord[];
}

/** Causes of causes are followed so far. */
const depthMax = 8;
const errorsMax = 10;

export function errorRecord(thrown: unknown, depth = 0): ErrorRecord {
  if (!(thrown instanceof Error)) {
    return { name: 'NotAnError', message: textOf(thrown), stack: null };
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? { code: thrown.code } : {};
  const deeper = depth < depthMax;
  const cause =
    deeper && thrown.cause !== undefined && thrown.cause !== null
      ? { cause: errorRecord(thrown.cause, depth + 1) }
      : {};
  const errors =
    deeper && thrown instanceof AggregateError
      ? { errors: thrown.errors.slice(0, errorsMax).map((one) => errorRecord(one, depth + 1)) }
      : {};
  return { name: thrown.name, message: thrown.message, stack: thrown.stack ?? null, ...code, ...cause, ...errors };
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    // An object without a prototype, for one.
    return Object.prototype.toString.call(thrown);
  }
}
