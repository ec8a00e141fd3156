/** What a runner or a function agent hands over is stored as JSON; what JSON cannot hold is said, not thrown in the commit. */
export function jsonValue(value: unknown): unknown {
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value === 'string' || typeof value === 'boolean') {
    return value;
  }
  try {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? null : (JSON.parse(text) as unknown);
  } catch (error) {
    return { unserialisable: whyNotJson(error) };
  }
}

function whyNotJson(error: unknown): string {
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return 'the value is nested too deeply';
  }
  return error instanceof Error ? error.message : String(error);
}

interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly cause: ErrorRecord | null;
}

/** An own record of an error: JSON and structured clone lose message, code and cause. */
export function errorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), code: null, cause: null };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const cause = error.cause === undefined || depth >= 5 ? null : errorRecord(error.cause, depth + 1);
  return { name: error.name, message: error.message, code, cause };
}
