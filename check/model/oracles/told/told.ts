/** What a tape has to say: the type of an event, whose tape, and its data. */
import type {
  EventType,
  SessionEventData,
  SessionEventType,
  TaskEventData,
} from '../../../../src/core/model/events.ts';
import type { TaskId } from '../../../../src/core/model/ids.ts';
import type { OpenTaskEventType } from '../../../../src/core/model/records.ts';

export interface Told {
  readonly task: TaskId | null;
  readonly type: EventType;
  readonly data: object;
}

export const ofTask = <T extends OpenTaskEventType>(task: TaskId, type: T, data: TaskEventData[T]): Told => ({
  task,
  type,
  data,
});

export const ofSession = <T extends SessionEventType>(type: T, data: SessionEventData[T]): Told => ({
  task: null,
  type,
  data,
});

export const nothing: readonly Told[] = [];
