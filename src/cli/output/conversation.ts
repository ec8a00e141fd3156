/**
 * A conversation as a person reads it: what the agent says in whole lines, a line for each use of a tool, and marks where a task
 * gets or loses the session. One instance for one stream; it owns the unfinished lines and prints through `print`.
 *  conversation/1 All text that an agent says is printed once, in order, and in lines that no other line interrupts.
 *  conversation/2 Where a stream has several tasks, a line with the task and its session comes before the lines of another one.
 */
import type { Lane } from '../../core/model/task.ts';
import type { OutputPart, ToolPart } from '../../core/model/output.ts';
import type { ReadEvent, ReadFeedEvent } from '../../protocol/index.ts';
import type { Json } from '../../protocol/describes.ts';
import type { Io } from '../io.ts';
import { harmless, oneLine } from './paint.ts';
import { reasonText } from './reasons.ts';
import { answerCommand, failureText, resultText } from './text.ts';

type Known = Extract<ReadEvent, { kind: 'known' }>;
type Text = Json<OutputPart> & { readonly kind: 'text' };

interface ConversationOptions {
  readonly io: Io;
  /** How to write the id of a task. */
  readonly id: (task: string) => string;
  /** The events are of this task alone; null: of a session or of all. */
  readonly task: string | null;
  /** The session of them all; null: each event says its own. */
  readonly session: string | null;
}

/** Of the place where an event happens. */
interface Place {
  readonly task: string | null;
  readonly session: string;
}

interface Spoken {
  /** The beginning of a line that is not whole yet. */
  rest: string;
  said: boolean;
  startedAt: number | null;
  usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
  cost: string | null;
  /** Permission requests without an answer that were not printed yet, by their id. */
  readonly asks: Map<string, readonly string[]>;
  /** Tools that have begun, by their id. */
  readonly tools: Set<string>;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #spoken = new Map<string, Spoken>();
  #at: string | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  /** The lines of an event; none for most. */
  lines(event: ReadEvent | ReadFeedEvent): readonly string[] {
    const place = this.#placeOf(event);
    const key = `${place.session}\n${place.task ?? ''}`;
    const spoken = this.#spoken.get(key) ?? {
      rest: '',
      said: false,
      startedAt: null,
      usage: null,
      cost: null,
      asks: new Map(),
      tools: new Set(),
    };
    this.#spoken.set(key, spoken);
    const own =
      event.kind === 'unknown'
        ? [`· ${event.name}, unknown to this version`]
        : event.type === 'output' && event.data.part.kind === 'text'
          ? textLines(spoken, event.data.part)
          : [
              ...rest(spoken),
              ...this.#marks(event, { io: this.#options.io, id: this.#options.id, session: place.session, spoken }),
            ];
    const answers = event.type === 'permission-requested' || event.type === 'permission-resolved';
    const all = [...(answers ? [] : heldLines(spoken)), ...own];
    if (event.type === 'final') {
      this.#spoken.delete(key);
    }
    return all.length === 0 ? [] : [...this.#head(key, place), ...all];
  }

  /** Whether something waits for the next event: a permission request that a policy may answer in the same moment. */
  get holds(): boolean {
    return this.#spoken.values().some(({ asks }) => asks.size > 0);
  }

  /** What waits for the next event, where none comes. */
  held(): readonly string[] {
    return [...this.#spoken].flatMap(([key, spoken]) => {
      const lines = heldLines(spoken);
      const [session = '', task = ''] = key.split('\n');
      return lines.length === 0 ? [] : [...this.#head(key, { session, task: task === '' ? null : task }), ...lines];
    });
  }

  #placeOf(event: ReadEvent | ReadFeedEvent): Place {
    const { task, session } = this.#options;
    const feed = 'session' in event ? event : null;
    return { task: task ?? feed?.task ?? null, session: session ?? feed?.session ?? '' };
  }

  #head(key: string, { task, session }: Place): readonly string[] {
    const { io, id, task: only, session: one } = this.#options;
    if (only !== null || task === null || this.#at === key) {
      return [];
    }
    this.#at = key;
    return [io.paint.faint(`── ${id(task)}${one === null ? ` in ${oneLine(session, 60)}` : ''} ──`)];
  }

  #marks(event: Known, view: View): readonly string[] {
    const mark: Mark<Known> = marks[event.type];
    return mark(event, view);
  }
}

function heldLines({ asks }: Spoken): readonly string[] {
  const lines = [...asks.values()].flat();
  asks.clear();
  return lines;
}

/** What a mark is made with. */
interface View {
  readonly io: Io;
  readonly id: (task: string) => string;
  readonly session: string;
  readonly spoken: Spoken;
}

/** Taken from a method, whose parameter may be narrowed: so the table below can be called with any event. */
type Mark<E> = { mark(event: E, view: View): readonly string[] }['mark'];

type Colour = Exclude<keyof Io['paint'], Lane>;

const line = ({ io }: View, mark: string, text: string, colour: Colour = 'faint'): readonly string[] => [
  io.paint[colour](`${mark} ${oneLine(text, Number.POSITIVE_INFINITY)}`),
];

const nothing = (): readonly string[] => [];

/** Events that say nothing to a reader of the conversation are in the protocol: `--raw`. */
const marks: { readonly [T in Known['type']]: Mark<Extract<Known, { type: T }>> } = {
  queued(event, view) {
    view.spoken.startedAt = event.at;
    return line(view, '❯', event.data.title, 'strong');
  },
  edited: ({ data }, view) => line(view, '❯', `the prompt was changed: ${data.title}`, 'strong'),
  moved: nothing,
  merged: ({ data }, view) => line(view, '·', `its text goes with ${view.id(data.into)}`),
  steered: ({ data }, view) =>
    data.delivered ? [] : line(view, '·', `its text goes into the turn of ${view.id(data.into)}`),
  requeued: nothing,
  granted: nothing,
  resumed: (_, view) => line(view, '▶', 'resumed', 'good'),
  'turn-sent': nothing,
  'turn-started': nothing,
  output: ({ data }, view) => partLines(data.part, view),
  progress: ({ data }, view) => line(view, '·', JSON.stringify(data)),
  // Most requests are answered by the policy at once, and are in the line of their tool.
  'permission-requested'({ data: { request, action } }, view) {
    const { session, spoken } = view;
    spoken.asks.set(request, [
      ...line(view, '?', `asks for permission: ${action.tool}: ${action.title}`, 'warn'),
      ...line(view, '  →', `${answerCommand('approve', { session, request })}, or deny`),
    ]);
    return [];
  },
  'permission-resolved'({ data: { request, decision, by, note } }, view) {
    const [asked] = view.spoken.asks.get(request) ?? [];
    view.spoken.asks.delete(request);
    if (decision === 'allow' && by?.kind === 'policy') {
      return [];
    }
    const who = `by ${by?.name ?? 'no actor'}${note === null ? '' : `: ${note}`}`;
    const answer =
      decision === 'deny' ? line(view, '✗', `denied ${who}`, 'warn') : line(view, '✓', `allowed ${who}`, 'good');
    return [...(asked === undefined ? [] : [asked]), ...answer];
  },
  'interrupt-requested': (_, view) => line(view, '╳', 'is being interrupted'),
  'interrupt-acked': nothing,
  'cancel-requested': ({ data }, view) => line(view, '╳', `to be cancelled: ${data.reason}`, 'warn'),
  'deadline-reached': ({ data }, view) => line(view, '!', `the deadline ${data.name} was reached`, 'warn'),
  'limit-reached': ({ data }, view) => line(view, '!', `the turn reached its limit of ${data.limit}`, 'warn'),
  'turn-ended'({ data: { usage, cost } }, { spoken }) {
    spoken.usage = usage ?? spoken.usage;
    spoken.cost = cost === null ? spoken.cost : `${cost.amount} ${cost.currency}`;
    return [];
  },
  expired: ({ data }, view) => line(view, '!', `its time was up while it waited: ${data.waitsFor}`, 'warn'),
  claimed: ({ data }, view) => line(view, '·', `claimed by ${data.holder}`),
  'lease-lapsed': ({ data }, view) => line(view, '!', `its holder ${data.holder} was silent for too long`, 'warn'),
  preempted({ data: { by } }, view) {
    const who = by === null ? '' : ` by ${by.kind === 'task' ? view.id(by.name) : by.name}`;
    return line(view, '◌', `preempted${who}; it resumes afterwards`, 'warn');
  },
  'attempt-lost': ({ data }, view) => line(view, '!', `the attempt was lost: ${reasonText(data.reason)}`, 'bad'),
  'attempt-retried': ({ data }, view) => line(view, '↻', `attempt ${data.attempt}`),
  'turn-retried': ({ data }, view) =>
    line(view, '↻', `the turn failed (${data.reason ?? 'for a transient reason'}), and is retried`, 'warn'),
  final: finalLines,
  'agent-starting': nothing,
  'agent-ready': nothing,
  'agent-ending': nothing,
  'agent-exited': ({ data: { reason } }, view) =>
    reason === 'crashed' || reason === 'spawn_failed' ? line(view, '!', `the agent ended: ${reason}`, 'warn') : [],
  'conversation-reset': (_, view) =>
    line(view, '·', 'the agent does not know the old conversation, and a fresh one began', 'warn'),
  'conversation-ended': (_, view) => line(view, '·', 'a fresh conversation begins'),
  'agent-assigned': ({ data: { agent, from, conversationLost } }, view) =>
    line(
      view,
      '·',
      from === agent
        ? `${agent} has another model`
        : `${agent} is the agent${conversationLost ? ', and does not know the conversation' : ''}`,
    ),
  'conversation-rewound': nothing,
  'model-switching': nothing,
  'model-switched': nothing,
  throttled: ({ data }, view) => line(view, '⏸', `throttled: ${data.reason}`, 'warn'),
  unthrottled: (_, view) => line(view, '▶', 'no longer throttled'),
  'hang-reported': ({ data: { report, summary } }, view) =>
    line(view, '!', `${summary} → signalbox hangs ${report}`, 'warn'),
  'store-rewound': (_, view) => line(view, '!', 'the store lost the last events of the session', 'bad'),
  'unsolicited-turn': nothing,
  'unexpected-output': ({ data: { part } }, view) =>
    part.kind === 'text' ? line(view, '·', `outside its turns: ${part.text}`) : [],
  evicted: (_, view) => line(view, '!', 'the session was taken from its owner by force', 'warn'),
  parked: ({ data }, view) => line(view, '⏸', `parked: ${data.reason}`, 'warn'),
  unparked: (_, view) => line(view, '▶', 'unparked'),
  recovered: nothing,
  fault: ({ data }, view) => line(view, '!', `a defect stopped the session: ${JSON.stringify(data)}`, 'bad'),
};

const planMarks = { pending: '☐', in_progress: '▶', completed: '☑' } as const;

function partLines(part: Json<OutputPart>, view: View): readonly string[] {
  switch (part.kind) {
    case 'tool':
      return toolLines(part, view);
    case 'plan':
      return part.entries.flatMap(({ text, status }) => line(view, `  ${planMarks[status]}`, text));
    case 'notice':
      return line(view, '!', part.message, 'warn');
    case 'retraction':
      return line(view, '·', `takes back the last ${part.length} characters`);
    case 'text':
    case 'usage':
    case 'thinking':
    case 'cost':
    case 'raw':
      return [];
  }
}

/** One line when it begins; another only where it failed, or changed files. */
function toolLines(part: Json<ToolPart>, view: View): readonly string[] {
  const what = `${part.name}: ${part.title}`;
  const known = part.id ?? what;
  const begun = view.spoken.tools.has(known);
  if (part.status === 'started') {
    view.spoken.tools.add(known);
    return begun ? [] : line(view, '⚙', what);
  }
  view.spoken.tools.delete(known);
  const changed = (part.diffs ?? []).map(({ path }) => path);
  const files = changed.length === 0 ? [] : line(view, '  changed', changed.join(', '));
  if (part.status === 'completed') {
    return [...(begun ? [] : line(view, '⚙', what)), ...files];
  }
  const said = oneLine(part.output?.text ?? '', 200);
  return [...line(view, '✗', `${what}${said === '' ? '' : ` → ${said}`}`, 'warn'), ...files];
}

function finalLines(
  { data, at }: Extract<Known, { type: 'final' }>,
  { io: { paint }, spoken }: View,
): readonly string[] {
  const { startedAt, usage, cost } = spoken;
  const failure = failureText(data);
  const facts = [
    startedAt === null ? null : `after ${((at - startedAt) / 1000).toFixed(1)} s`,
    usage === null ? null : `${usage.inputTokens} tokens in, ${usage.outputTokens} out`,
    cost,
  ].filter((part) => part !== null);
  const why = data.reason === data.status ? '' : ` (${harmless(reasonText(data.reason))})`;
  const colour = data.status === 'completed' ? paint.good : paint.bad;
  // An agent that does not stream has its answer here alone.
  const result = data.answer === null || !spoken.said ? resultText(data) : null;
  return [
    ...(result === null || result.trim() === '' ? [] : harmless(result).split('\n')),
    `${colour(`■ ${data.status}${why}`)} ${paint.faint(facts.join(' · '))}`.trimEnd(),
    ...(failure === null ? [] : harmless(failure).split('\n').map(paint.bad)),
  ];
}

/** UTF-16 units: a line without an end is printed in pieces of this length. */
const restMax = 2_000;

function textLines(spoken: Spoken, { text }: Text): readonly string[] {
  const whole = (spoken.rest + text).split('\n');
  spoken.rest = whole.pop() ?? '';
  if (spoken.rest.length > restMax) {
    const at = spoken.rest.lastIndexOf(' ') + 1 || spoken.rest.length;
    whole.push(spoken.rest.slice(0, at).trimEnd());
    spoken.rest = spoken.rest.slice(at);
  }
  spoken.said ||= text.trim() !== '';
  return whole.map(harmless);
}

/** The line that was not whole: something else follows it. */
function rest(spoken: Spoken): readonly string[] {
  const line = spoken.rest;
  spoken.rest = '';
  return line === '' ? [] : [harmless(line)];
}
