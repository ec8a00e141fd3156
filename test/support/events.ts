/** Events for tests: whole, and of a type that compiles. */
import type { EventType } from '../../src/core/model/events.ts';
import { eventDataSchemas } from '../../src/protocol/events/tape.ts';
import type { KnownEvent } from '../../src/protocol/index.ts';

type DataOf<T extends EventType> = KnownEvent<T>['data'];
type Place = Pick<KnownEvent, 'session' | 'task' | 'seq' | 'at'>;

/** The data of the documented example, with what the test says in its place. */
export const dataOf = <T extends EventType>(type: T, says: Partial<DataOf<T>> = {}): DataOf<T> => ({
  ...(eventDataSchemas[type].examples?.[0] as DataOf<T>),
  ...says,
});

export const eventOf = <T extends EventType>(type: T, place: Place, says: Partial<DataOf<T>> = {}): KnownEvent<T> =>
  ({ kind: 'known', ...place, type, data: dataOf(type, says) }) as KnownEvent as KnownEvent<T>;
