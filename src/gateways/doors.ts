/** Every door by which messages go out, by the key of its section in the configuration. A new door is its folder and one line here. */
import type { Schema } from '../protocol/schema.ts';
import type { Door } from '../runtime/outbox/door.ts';
import type { DoorDescriptor } from './descriptor.ts';
import { descriptor as notify } from './push/descriptor.ts';

const doors = { notify } as const;

type Doors = typeof doors;
type DoorKey = keyof Doors;

/** What the file says of each door; one without a section is off. */
export type DoorConfigs = { readonly [K in DoorKey]?: Doors[K] extends DoorDescriptor<infer C> ? C : never };

export const doorKeys = Object.keys(doors) as readonly DoorKey[];

/** The schema of each section. */
export const doorSchemas = { notify: notify.schema } as const satisfies { readonly [K in DoorKey]: Schema };

export const doorSecrets = ({ notify: config }: DoorConfigs): readonly string[] =>
  config === undefined ? [] : notify.secrets(config);

/** Loads the doors that have a section. Throws `AppError` `bad_config`. */
export const loadDoors = async ({ notify: config }: DoorConfigs): Promise<readonly Door[]> =>
  config === undefined ? [] : notify.load(config);
