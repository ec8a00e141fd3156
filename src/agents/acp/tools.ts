/**
 * The tool calls of one turn, out of updates that tell each time only what has changed.
 *
 * Owned by a turn. At most `callsMax` are remembered; of the oldest one nothing is known any more then, and nothing breaks.
 */
import type { ActionKind, PermissionAsk } from '../../core/policy.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { BoundedText, ToolPart, ToolStatus } from '../../core/events.ts';
import { bounded, inputText } from '../shared/parts.ts';
import { textOf } from './wire.ts';

const callsMax = 1_000;
const titleMax = 4_000;

/** `move` takes a file away from where it was. What thinks or changes a mode is nothing that a policy has a name for. */
const kinds: { readonly [kind: string]: ActionKind } = {
  read: 'read',
  search: 'search',
  edit: 'edit',
  delete: 'delete',
  move: 'delete',
  execute: 'execute',
  fetch: 'fetch',
};

/** What an action touches: for the person who is asked, and to know it again when it comes to us. */
export interface Action {
  readonly ask: PermissionAsk;
  readonly paths: readonly string[];
  readonly command: string | null;
}

interface Known {
  readonly kind: string | null;
  readonly title: string | null;
  readonly name: string | null;
  readonly command: string | null;
  readonly paths: readonly string[];
  readonly input: BoundedText | null;
  readonly told: ToolStatus | null;
}

const unknown: Known = { kind: null, title: null, name: null, command: null, paths: [], input: null, told: null };

export class ToolCalls {
  readonly #toolName: (toolCall: Fields) => string | null;
  readonly #calls = new Map<string, Known>();

  constructor(toolName: (toolCall: Fields) => string | null) {
    this.#toolName = toolName;
  }

  /** A `tool_call` or `tool_call_update`: what is new for the tape, null: nothing. */
  take(update: Fields): ToolPart | null {
    const id = textAt(update, 'toolCallId');
    if (id === null) {
      return null;
    }
    const known = this.#learn(id, update);
    const status = statusOf(update) ?? known.told;
    if (status === null || status === known.told) {
      return null;
    }
    this.#remember(id, { ...known, told: status });
    const part: ToolPart = {
      kind: 'tool',
      id,
      name: nameOf(known),
      action: actionOf(known).ask.kind,
      title: titleOf(known),
      status,
      ...(known.input === null ? {} : { input: known.input }),
    };
    return status === 'started' ? part : { ...part, output: bounded(outputOf(update)) };
  }

  /** The call of a permission request, put together with what was known of it. */
  asked(toolCall: Fields): Action {
    const id = textAt(toolCall, 'toolCallId');
    return actionOf(id === null ? merge(unknown, toolCall, this.#toolName) : this.#learn(id, toolCall));
  }

  /** It was allowed, so it runs: some agents do not tell until it is over. */
  begun(toolCall: Fields): ToolPart | null {
    return this.take({ toolCallId: toolCall['toolCallId'], status: 'in_progress' });
  }

  #learn(id: string, update: Fields): Known {
    const known = merge(this.#calls.get(id) ?? unknown, update, this.#toolName);
    this.#remember(id, known);
    return known;
  }

  #remember(id: string, known: Known): void {
    this.#calls.set(id, known);
    if (this.#calls.size <= callsMax) {
      return;
    }
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined) {
      this.#calls.delete(oldest);
    }
  }
}

function merge(known: Known, update: Fields, toolName: (toolCall: Fields) => string | null): Known {
  const paths = pathsOf(update);
  return {
    kind: textAt(update, 'kind') ?? known.kind,
    title: textAt(update, 'title') ?? known.title,
    name: toolName(update) ?? textAt(update, 'name') ?? known.name,
    command: commandOf(fieldsAt(update, 'rawInput')) ?? known.command,
    paths: paths.length === 0 ? known.paths : paths,
    input: inputText(update['rawInput']).input ?? known.input,
    told: known.told,
  };
}

/** A call that brings a command runs it, whatever the agent takes it for: a reading kind is allowed unasked. */
function actionOf(known: Known): Action {
  const named = known.kind === null ? 'other' : (kinds[known.kind] ?? 'other');
  const kind = known.command !== null && (named === 'read' || named === 'search') ? 'execute' : named;
  const ask = { kind, tool: nameOf(known), title: titleOf(known) };
  return { ask, paths: known.paths, command: known.command };
}

const nameOf = (known: Known): string => known.name ?? known.kind ?? 'tool';

/** Titles are for eyes; the command or the path itself is what a rule can be made of. */
function titleOf({ kind, title, command, paths }: Known): string {
  if (command !== null) {
    return head(command, titleMax);
  }
  const files = kind === 'edit' || kind === 'delete' || kind === 'move' || kind === 'read';
  if (files && paths.length > 0) {
    return head(paths.join(', '), titleMax);
  }
  return head((title ?? kind ?? 'tool').trim() || 'tool', titleMax);
}

function commandOf(input: Fields): string | null {
  const command = input['command'] ?? input['cmd'];
  if (typeof command === 'string') {
    return command;
  }
  if (!Array.isArray(command) || !command.every((part) => typeof part === 'string')) {
    return null;
  }
  return command.join(' ');
}

/** All that a call says it touches. */
function pathsOf(update: Fields): readonly string[] {
  const input = fieldsAt(update, 'rawInput');
  const named = ['file_path', 'filePath', 'filepath', 'fileName', 'path'].map((name) => textAt(input, name));
  const located = listAt(update, 'locations').map((one) => textAt(one, 'path'));
  const differing = listAt(update, 'content').map((one) => (one['type'] === 'diff' ? textAt(one, 'path') : null));
  return [...new Set([...located, ...differing, ...named].filter((path) => path !== null))];
}

/** One that is pending does not run: its input is not there yet, or somebody is asked. Some never say that it does. */
function statusOf(update: Fields): ToolStatus | null {
  const { status } = update;
  if (status === 'completed' || status === 'failed') {
    return status;
  }
  const given = Object.keys(fieldsAt(update, 'rawInput')).length > 0;
  return status === 'in_progress' || (status === undefined && given) ? 'started' : null;
}

function outputOf(update: Fields): string {
  const said = listAt(update, 'content')
    .map((one) => (one['type'] === 'content' ? textOf(fieldsAt(one, 'content')) : null))
    .filter((text) => text !== null);
  if (said.length > 0) {
    return said.join('\n');
  }
  const raw = update['rawOutput'];
  if (typeof raw === 'string') {
    return raw;
  }
  return isFields(raw) ? (textAt(raw, 'output') ?? textAt(raw, 'error') ?? textAt(raw, 'message') ?? '') : '';
}
