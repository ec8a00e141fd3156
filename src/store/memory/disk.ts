/**
 * What survives a crash of a memory store: committed data, as JSON text like in a file, so that nothing is shared with the
 * callers and what JSON cannot say is lost here too. Hand the same disk to the next store to reopen it.
 */
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import type {
  Applied,
  Era,
  EraState,
  Hint,
  KeptConversation,
  NodeFacts,
  NodeId,
  NodeLoad,
  NodeState,
} from '../nodes.ts';
import type { OutboxRow } from '../outbox.ts';
import type { FeedEvent, FeedPosition, ProcessRow, StoredEvent, TokenRow } from '../port.ts';

/** `position`: its number in the store, from 1. */
export interface DiskEvent {
  readonly session: SessionKey;
  readonly task: TaskId | null;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly json: string;
  readonly position: number;
}

export interface DiskSession {
  readonly n: number;
  readonly key: SessionKey;
  lease: number;
  /** Null: nobody, or a store that has the disk for itself. */
  owner: NodeId | null;
  row: string | null;
  parked: boolean;
  changedAt: number;
  /** Its own tape; and all events of all its tapes in commit order. */
  readonly tape: DiskEvent[];
  readonly feed: DiskEvent[];
  /** Its tasks in order of admission, and the open ones in no order. */
  readonly tasks: DiskTask[];
  readonly open: Map<TaskId, DiskTask>;
}

export interface DiskTask {
  readonly n: number;
  readonly id: TaskId;
  readonly session: SessionKey;
  readonly source: string;
  readonly admittedAt: number;
  status: TaskStatus;
  lane: string;
  row: string;
  payload: string;
  reason: string | null;
  endedAt: number | null;
  final: string;
  readonly tape: DiskEvent[];
}

export interface DiskNode {
  readonly id: NodeId;
  facts: NodeFacts;
  state: NodeState;
  beat: number;
  load: NodeLoad;
  /** Its process has ended, which others on its machine see. */
  gone: boolean;
  hear(hint: Hint): void;
}

/** To a session or to a node; the other one is null. */
export interface DiskLetter {
  readonly id: string;
  readonly from: NodeId;
  readonly session: SessionKey | null;
  readonly node: NodeId | null;
  readonly body: string;
}

/** A row of the outbox. `n`: its place in the order; `owner`: who began it last, a node, or below 0 a store that had the disk for itself. */
export interface DiskMessage {
  readonly n: number;
  owner: number | null;
  pausedUntil: number | null;
  row: OutboxRow;
}

/** Who recorded it: null for a store that had the disk for itself. */
interface DiskProcess {
  readonly row: ProcessRow;
  readonly node: DiskNode | null;
}

/** A copy of all that a primary has told its standby. */
export interface DiskStandby {
  readonly nodes: readonly (Pick<DiskNode, 'state' | 'beat'> & { readonly node: DiskNode })[];
  readonly data: Pick<
    MemoryDisk,
    | 'sessions'
    | 'tasks'
    | 'taskList'
    | 'keys'
    | 'feed'
    | 'letters'
    | 'replies'
    | 'tokens'
    | 'throttles'
    | 'conversations'
    | 'messages'
    | 'positions'
    | 'late'
  >;
}

export class MemoryDisk {
  readonly sessions = new Map<SessionKey, DiskSession>();
  readonly tasks = new Map<TaskId, DiskTask>();
  /** In order of admission. */
  readonly taskList: DiskTask[] = [];
  /** By `sourceKey`. */
  readonly keys = new Map<string, TaskId>();
  readonly feed: DiskEvent[] = [];
  readonly processes = new Map<string, DiskProcess>();
  readonly tokens = new Map<string, TokenRow>();
  readonly nodes = new Map<NodeId, DiskNode>();
  /** In the order in which they were sent. */
  readonly letters = new Map<string, DiskLetter>();
  readonly replies = new Map<string, { readonly to: NodeId; readonly reply: string }>();
  readonly conversations = new Map<SessionKey, KeptConversation>();
  /** By provider. */
  readonly throttles = new Map<string, { readonly version: number; readonly state: string; readonly at: number }>();
  /** Rows of the outbox by id, in the order in which they came; and where its consumers are. */
  readonly messages = new Map<string, DiskMessage>();
  readonly positions = new Map<string, FeedPosition | null>();
  messageCount = 0;
  /** Stores that had it for themselves. */
  opens = 0;
  late = 0;
  era: EraState = { era: 'first', settled: true };
  /** The store that has it for itself. The next one to open it takes it: the one before has crashed, or is refused from then on. */
  owner: object | null = null;

  /** The session's entry, made when it is new. */
  session(key: SessionKey): DiskSession {
    const known = this.sessions.get(key);
    if (known !== undefined) {
      return known;
    }
    const session: DiskSession = {
      n: this.sessions.size + 1,
      key,
      lease: 0,
      owner: null,
      row: null,
      parked: false,
      changedAt: 0,
      tape: [],
      feed: [],
      open: new Map(),
      tasks: [],
    };
    this.sessions.set(key, session);
    return session;
  }

  /** What a standby has that has all there is; see `failOver`. */
  standby(): DiskStandby {
    const {
      sessions,
      tasks,
      taskList,
      keys,
      feed,
      letters,
      replies,
      tokens,
      throttles,
      conversations,
      messages,
      positions,
      late,
    } = this;
    const nodes = [...this.nodes.values()].map((node) => ({ node, state: node.state, beat: node.beat }));
    return {
      nodes,
      data: structuredClone({
        sessions,
        tasks,
        taskList,
        keys,
        feed,
        letters,
        replies,
        tokens,
        throttles,
        conversations,
        messages,
        positions,
        late,
      }),
    };
  }

  /** The standby takes over: what came after it is gone, and another era begins. What processes run stays known. */
  failOver({ nodes, data }: DiskStandby, era: Era): void {
    const { late, ...maps } = structuredClone(data);
    for (const name of [
      'sessions',
      'tasks',
      'keys',
      'letters',
      'replies',
      'tokens',
      'throttles',
      'conversations',
      'messages',
      'positions',
    ] as const) {
      const here: Map<unknown, unknown> = this[name];
      here.clear();
      maps[name].forEach((value: unknown, key: unknown) => here.set(key, value));
    }
    this.taskList.splice(0, Infinity, ...maps.taskList);
    this.feed.splice(0, Infinity, ...maps.feed);
    this.late = late;
    this.nodes.clear();
    for (const { node, state, beat } of nodes) {
      this.nodes.set(node.id, Object.assign(node, { state, beat }));
    }
    this.era = { era, settled: false };
  }

  /** Takes a letter out and leaves its reply. */
  take({ id, from, reply }: Applied): void {
    this.letters.delete(id);
    this.replies.set(id, { to: from, reply: toText(reply) });
  }
}

export const isAlive = ({ state }: DiskNode): boolean => state === 'up' || state === 'draining';

export const toText = (value: unknown): string => {
  const json: string | undefined = JSON.stringify(value);
  return json ?? 'null';
};

export const toStored = ({ session, task, seq, at, type, json }: DiskEvent): StoredEvent =>
  ({ session, task, seq, at, type, data: JSON.parse(json) as unknown }) as StoredEvent;

export const toFeed = (event: DiskEvent): FeedEvent => ({ ...toStored(event), position: String(event.position) });
