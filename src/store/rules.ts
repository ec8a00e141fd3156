/** The rules of the port that do not depend on an engine. */
import type { TaskStatus, TerminalStatus } from '../core/model/task.ts';
import { withDefaults } from '../protocol/defaults.ts';
import { TaskPayloadSchema } from '../protocol/task-spec.ts';
import type { TaskPayload } from './port.ts';

const ranks: { readonly [status in TaskStatus]: number } = {
  queued: 0,
  running: 1,
  completed: 2,
  failed: 2,
  cancelled: 2,
};

export const isTerminal = (status: TaskStatus): status is TerminalStatus => ranks[status] === 2;

/** `store/4`, for an open task. */
export const movesForward = (from: TaskStatus, to: TaskStatus): boolean => ranks[from] <= ranks[to];

/** A stored payload as readers get it. One that was stored before a field existed gets the default of that field. */
export const payloadOf = (stored: unknown): TaskPayload => ({
  requestDigest: null,
  ...(withDefaults(TaskPayloadSchema, stored) as Omit<TaskPayload, 'requestDigest'>),
});

const nullByDefault = Object.entries(TaskPayloadSchema.properties ?? {})
  .filter(([, field]) => field.default === null)
  .map(([name]) => name)
  .concat('requestDigest');

/** A payload as it is stored: without the fields that say nothing, which `payloadOf` gives back. */
export function storedPayload(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    return payload;
  }
  const stored: { [field: string]: unknown } = { ...payload };
  for (const field of nullByDefault) {
    stored[field] = stored[field] ?? undefined;
  }
  return stored;
}

/** The two fields of a payload that the store looks into; a payload without them comes from nowhere and has no key. */
export function admissionOf(payload: unknown): { readonly source: string; readonly idempotencyKey: string | null } {
  const fields: { readonly source?: unknown; readonly idempotencyKey?: unknown } =
    typeof payload === 'object' && payload !== null ? payload : {};
  return {
    source: typeof fields.source === 'string' ? fields.source : '',
    idempotencyKey: typeof fields.idempotencyKey === 'string' ? fields.idempotencyKey : null,
  };
}

/** An idempotency key with its source, as one text. */
export const sourceKey = (source: string, idempotencyKey: string): string => JSON.stringify([source, idempotencyKey]);
