/**
 * The part of JSON Schema (2020-12) that the shapes of this layer are written in. A keyword that is not here does not
 * compile, so a schema cannot ask for what `findings.ts` has no words for, or for a `$ref`, which `validate.ts` does not follow.
 */
import type { FromSchema } from 'json-schema-to-ts';

export type TypeName = 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'object' | 'array';
export type Scalar = string | number | boolean | null;

export interface Schema {
  readonly title?: string;
  readonly description?: string;
  /** Shown in the documentation and filled in by `withDefaults`; never by `validate`. */
  readonly default?: Scalar | readonly Scalar[] | Readonly<{ [name: string]: never }>;
  readonly examples?: readonly unknown[];
  readonly type?: TypeName | readonly TypeName[];
  readonly enum?: readonly Scalar[];
  readonly const?: Scalar;
  readonly anyOf?: readonly Schema[];
  /** In Unicode code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Compiled with the `u` flag; not anchored by itself. */
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  /** Left out means true, as in JSON Schema. */
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
}

export type ObjectSchema = Schema & {
  readonly type: 'object';
  readonly properties: { readonly [name: string]: Schema };
};

type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** What a valid value looks like on the wire or in a file, before defaults. */
export type Wire<S extends Schema> = DeepReadonly<FromSchema<S, { keepDefaultedPropertiesOptional: true }>>;
/** The same after `withDefaults`. */
export type Resolved<S extends Schema> = DeepReadonly<FromSchema<S>>;
