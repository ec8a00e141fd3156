/**
 * The part of JSON Schema (2020-12) that this layer uses. A keyword that is not here does not
 * compile, so a schema cannot use a keyword that `findings.ts` does not describe, or a `$ref`, which `validate.ts` does not follow.
 */

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
  /** Objects that differ in one member, the discriminator, which is a `const` in each of them. */
  readonly oneOf?: readonly Schema[];
  /** Names that member; goes with `oneOf` only. The keyword is OpenAPI's. */
  readonly discriminator?: { readonly propertyName: string };
  readonly allOf?: readonly Schema[];
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

/** What a valid value looks like on the wire or in a file, before defaults. Distributes over unions. */
export type Wire<S> = Shape<S, never>;
/** The same after `withDefaults`: members that have a default are there. */
export type Resolved<S> = Shape<S, { readonly default: unknown }>;

/** `Filled`: what the schema of a member is like that is there though it is not required. */
type Shape<S, Filled> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly anyOf: readonly (infer M)[] }
      ? Shape<M, Filled>
      : S extends { readonly oneOf: readonly (infer M)[] }
        ? Shape<M, Filled>
        : S extends { readonly type: readonly (infer T)[] }
          ? OfType<T, S, Filled>
          : S extends { readonly type: infer T }
            ? OfType<T, S, Filled>
            : unknown;

interface Scalars {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly null: null;
}

type OfType<T, S, Filled> = T extends keyof Scalars
  ? Scalars[T]
  : T extends 'array'
    ? readonly (S extends { readonly items: infer I } ? Shape<I, Filled> : unknown)[]
    : S extends { readonly properties: infer P }
      ? Members<P, S extends { readonly required: readonly (infer R)[] } ? R : never, Filled>
      : { readonly [name: string]: S extends { readonly additionalProperties: infer A } ? Shape<A, Filled> : unknown };

/** Flat, so that it shows its members where an editor shows the type. */
type Members<P, R, Filled> = Flat<
  { readonly [K in keyof P as Present<P, K, R, Filled>]: Shape<P[K], Filled> } & {
    readonly [K in keyof P as Exclude<K, Present<P, K, R, Filled>>]?: Shape<P[K], Filled>;
  }
>;
type Present<P, K extends keyof P, R, Filled> = K extends R ? K : P[K] extends Filled ? K : never;
type Flat<T> = { readonly [K in keyof T]: T[K] };
