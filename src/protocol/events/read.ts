/**
 * Events as a reader gets them. A later version than the reader's may have written the tape. The union of events is closed, so that
 * a misspelt type does not compile. Additions of a later version are therefore separate:
 *
 *  - an event of a type that is not known here, or whose data do not fit their type, is `unknown`;
 *  - members that a later version added to the data of a known event stay in it, and no type names them.
 */
import type { EventType } from '../../core/model/events.ts';
import type { Schema, TypeName } from '../schema.ts';
import type { TapeEvent } from './tape.ts';
import { eventDataSchemas } from './tape.ts';

/** `data` fit the type of the event: a reader may rely on every member, and on every list of values being complete. */
export type KnownEvent<T extends EventType = EventType> = TapeEvent<T> & { readonly kind: 'known' };

/** An event that a later version wrote. `type` is null, so that no comparison with a type can mean it. */
export interface UnknownEvent {
  readonly kind: 'unknown';
  readonly session: string;
  readonly task: string | null;
  readonly seq: number;
  readonly at: number;
  readonly type: null;
  /** The type as it was written. */
  readonly name: string;
  readonly data: unknown;
}

export type ReadEvent = KnownEvent | UnknownEvent;
/** An event of a feed. */
export type ReadFeedEvent = ReadEvent & { readonly position: string };

/** An event as a server of any version sends it. */
export interface SentEvent {
  readonly session: string;
  readonly task: string | null;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly data: unknown;
}
export type SentFeedEvent = SentEvent & { readonly position: string };

export function readEvent(sent: SentFeedEvent): ReadFeedEvent;
export function readEvent(sent: SentEvent): ReadEvent;
export function readEvent(sent: SentEvent): ReadEvent {
  if (Object.hasOwn(eventDataSchemas, sent.type) && fits(sent.data, eventDataSchemas[sent.type as EventType])) {
    return { kind: 'known', ...sent } as KnownEvent;
  }
  return { kind: 'unknown', ...sent, type: null, name: sent.type };
}

/** The event as it was sent. */
export function sentEvent(event: ReadEvent): SentEvent | SentFeedEvent {
  if (event.kind === 'unknown') {
    const { kind: _, name, ...rest } = event;
    return { ...rest, type: name };
  }
  const { kind: _, ...sent } = event;
  return sent;
}

/**
 * Whether a value has the types, the lists of values and the members of its schema. `validate` says the same and more; it takes
 * fifty times as long, and would refuse members that a later version added.
 */
function fits(value: unknown, schema: Schema): boolean {
  const { const: only, enum: allowed, oneOf, anyOf = oneOf, type } = schema;
  if (only !== undefined) {
    return value === only;
  }
  if (allowed !== undefined) {
    return allowed.some((one) => one === value);
  }
  if (anyOf !== undefined) {
    return anyOf.some((one) => fits(value, one));
  }
  return type === undefined || [type].flat().some((one) => isOfType(value, one, schema));
}

function isOfType(value: unknown, type: TypeName, { items = {}, properties = {}, required = [] }: Schema): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === type;
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value) && value.every((item) => fits(item, items));
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return false;
      }
      const members = value as { readonly [name: string]: unknown };
      return (
        required.every((name) => Object.hasOwn(members, name)) &&
        Object.entries(properties).every(([name, member]) => members[name] === undefined || fits(members[name], member))
      );
    }
  }
}
