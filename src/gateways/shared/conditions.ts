/** Conditions on single fields of a delivery, as rules have them. */
import { checkPath, scalarAt, type FieldPath, type Scalar } from './fields.ts';
import type { HookConditions } from './config.ts';

/** In a list of values: any login of the bot. No GitHub login can be written so. */
export const botMark = '@bot';

/** Null in a list matches a field that is absent or empty. */
export interface Condition {
  readonly field: FieldPath;
  readonly oneOf?: readonly (Scalar | null)[];
  readonly noneOf?: readonly (Scalar | null)[];
  /** Stable reason code for the sender, when the condition does not hold. */
  readonly otherwise: string;
}

type Written = NonNullable<HookConditions['if']>;

/** Reads `if` and `unless` of the configuration. Throws `bad_config` for a path that is none. */
export function readConditions(written: HookConditions, where: string): readonly Condition[] {
  const list = (name: 'if' | 'unless', key: 'oneOf' | 'noneOf'): Condition[] =>
    Object.entries((written[name] ?? {}) as Written).map(([field, value]) => {
      checkPath(field, `${where}.${name}`);
      return { field, [key]: Array.isArray(value) ? value : [value], otherwise: 'condition_not_met' } as Condition;
    });
  return [...list('if', 'oneOf'), ...list('unless', 'noneOf')];
}

/** The first condition that does not hold, or null. `botLogins` in lower case; logins are compared without regard to case. */
export function failing(
  conditions: readonly Condition[],
  body: unknown,
  botLogins: ReadonlySet<string>,
): Condition | null {
  for (const condition of conditions) {
    const value = scalarAt(body, condition.field);
    const among = (list: readonly (Scalar | null)[]): boolean =>
      list.some((one) =>
        one === botMark ? typeof value === 'string' && botLogins.has(value.toLowerCase()) : one === value,
      );
    if (condition.oneOf !== undefined && !among(condition.oneOf)) {
      return condition;
    }
    if (condition.noneOf !== undefined && among(condition.noneOf)) {
      return condition;
    }
  }
  return null;
}
