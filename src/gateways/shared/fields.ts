/**
 * Reads single values out of a parsed JSON body by a path such as `check_run.pull_requests.0.number`.
 * Own properties only, so that `constructor` and `__proto__` in a path or a body are names like any other.
 */
import { AppError } from '../../core/errors.ts';

export type JsonObject = { readonly [name: string]: unknown };
export type Scalar = string | number | boolean;

/** One path, or several of which the first that leads to a value counts. */
export type FieldPath = string | readonly string[];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const stepPattern = /^[A-Za-z0-9_$-]+$/;

/** Throws `bad_config` unless each path is names or indexes joined by dots. */
export function checkPath(path: FieldPath, where: string): void {
  for (const one of typeof path === 'string' ? [path] : path) {
    if (!one.split('.').every((step) => stepPattern.test(step))) {
      throw new AppError({
        code: 'bad_config',
        message: `${where}: "${one}" is not a path`,
        hint: 'A path is names or indexes joined by dots, such as issue.user.login or check_run.pull_requests.0.number.',
      });
    }
  }
}

/** The value at the path, of whatever kind; undefined where there is none. */
export function at(body: unknown, path: string): unknown {
  let value = body;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as JsonObject)[step];
  }
  return value;
}

/** The first string, finite number or boolean that the path leads to; an empty string, null and anything else count as absent. */
export function scalarAt(body: unknown, path: FieldPath): Scalar | null {
  for (const one of typeof path === 'string' ? [path] : path) {
    const value = at(body, one);
    if (typeof value === 'string' ? value.trim() !== '' : typeof value === 'boolean' || Number.isFinite(value)) {
      return value as Scalar;
    }
  }
  return null;
}
