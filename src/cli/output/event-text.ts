/** What an event says to a person, on one line or as the parts of a turn. */
import type { OutputPart, ToolPart } from '../../core/model/output.ts';
import type { ReadEvent } from '../../protocol/index.ts';
import type { Json } from '../../protocol/describes.ts';
import { resultText } from './text.ts';

/** An event on one line, without its time, place and type. */
export const eventText = (event: ReadEvent): string =>
  event.kind === 'unknown' ? `unknown to this version: ${JSON.stringify(event.data)}` : knownText(event);

type Known = Extract<ReadEvent, { kind: 'known' }>;

function knownText(event: Known): string {
  switch (event.type) {
    case 'output':
    case 'unexpected-output':
      return partText(event.data.part);
    case 'final': {
      const { status, reason } = event.data;
      const text = resultText(event.data);
      return `${status} (${reason})${text === null ? '' : `: ${text}`}`;
    }
    case 'permission-requested': {
      const { request, action } = event.data;
      return `${request} ${action.tool}: ${action.title} (${action.kind})`;
    }
    case 'permission-resolved': {
      const { request, decision, by, note } = event.data;
      return `${request} ${decision} by ${by?.name ?? 'no actor'}${note === null ? '' : `: ${note}`}`;
    }
    case 'turn-ended':
      return turnText(event.data);
    case 'hang-reported':
    case 'store-rewound':
    case 'queued':
    case 'merged':
    case 'steered':
    case 'requeued':
    case 'edited':
    case 'moved':
    case 'granted':
    case 'resumed':
    case 'turn-sent':
    case 'turn-started':
    case 'progress':
    case 'interrupt-requested':
    case 'interrupt-acked':
    case 'cancel-requested':
    case 'deadline-reached':
    case 'limit-reached':
    case 'expired':
    case 'claimed':
    case 'lease-lapsed':
    case 'preempted':
    case 'attempt-lost':
    case 'attempt-retried':
    case 'turn-retried':
    case 'agent-starting':
    case 'agent-ready':
    case 'agent-ending':
    case 'agent-exited':
    case 'conversation-reset':
    case 'conversation-ended':
    case 'agent-assigned':
    case 'conversation-rewound':
    case 'model-switching':
    case 'model-switched':
    case 'throttled':
    case 'unthrottled':
    case 'unsolicited-turn':
    case 'evicted':
    case 'parked':
    case 'unparked':
    case 'recovered':
    case 'fault':
      return membersText(event.data);
  }
}

function turnText(data: Extract<Known, { type: 'turn-ended' }>['data']): string {
  const { turn, outcome, usage, cost, failure, reason } = data;
  const parts = [
    `turn ${turn} ${outcome}`,
    failure === null ? reason : `${failure.class}: ${failure.message}`,
    usage === null ? null : partText({ kind: 'usage', ...usage }),
    cost === null ? null : partText({ kind: 'cost', ...cost }),
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** `name=value` for each member that says something. */
const membersText = (data: object): string =>
  Object.entries(data)
    .filter(([, value]) => value !== null && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

function partText(part: Json<OutputPart>): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'retraction':
      return `(takes back the last ${part.length} characters)`;
    case 'thinking':
      return `(thinking) ${part.text}`;
    case 'tool':
      return toolText(part);
    case 'usage': {
      const cached = part.cachedInputTokens === undefined ? '' : ` (${part.cachedInputTokens} cached)`;
      return `${part.inputTokens} tokens in${cached}, ${part.outputTokens} out`;
    }
    case 'cost':
      return `${part.amount} ${part.currency}`;
    case 'plan':
      return `plan: ${part.entries.map(({ text, status }) => `${marks[status]} ${text}`).join(' ')}`;
    case 'notice':
      return `${part.code}: ${part.message}`;
    case 'raw':
      return `raw ${JSON.stringify(part.data)}`;
  }
}

const marks = { pending: '☐', in_progress: '▶', completed: '☑' } as const;

function toolText({ name, title, status, output, diffs = [], startedAt, endedAt }: Json<ToolPart>): string {
  const took =
    startedAt === undefined || endedAt === undefined ? '' : ` in ${((endedAt - startedAt) / 1000).toFixed(1)} s`;
  const head = `${name} ${status}${took}: ${title}`;
  const said = status === 'started' || output === undefined || output.text === '' ? '' : ` → ${output.text.trimEnd()}`;
  return `${head}${diffs.length === 0 ? '' : ` (changed ${diffs.map(({ path }) => path).join(', ')})`}${said}`;
}

/** Unified diffs of the files that a tool changed, for the lines below an event. */
export function diffLines(event: ReadEvent): readonly string[] {
  if (event.kind === 'unknown' || event.type !== 'output' || event.data.part.kind !== 'tool') {
    return [];
  }
  return (event.data.part.diffs ?? []).flatMap(({ unified }) => unified.text.trimEnd().split('\n'));
}
