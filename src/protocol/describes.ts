/** Types that tie a schema to a type that is written by hand, so that the two cannot drift apart. */
import type { Epoch, Incarnation, SessionKey, TaskId, TurnId } from '../core/model/ids.ts';
import type { Wire } from './schema.ts';

/** A type as JSON carries it: without the brands of its ids. Distributes over unions. */
export type Json<T> = unknown extends T
  ? unknown
  : T extends SessionKey | TaskId
    ? string
    : T extends Epoch | TurnId | Incarnation
      ? number
      : T extends object
        ? { readonly [K in keyof T]: Json<T[K]> }
        : T;

/** Spells an object out, so that two types compare by their members alone. */
type Spelled<T> = unknown extends T ? unknown : T extends object ? { readonly [K in keyof T]: Spelled<T[K]> } : T;
type Identical<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** True where a schema describes a type and nothing else: the same members, each as optional as there. */
export type Describes<S, T> = Identical<Spelled<Wire<S>>, Spelled<Json<T>>>;

/** Does not compile unless every member is true; the error names the member that is not. */
export type AllTrue<T extends { readonly [name in keyof T]: true }> = keyof T;
