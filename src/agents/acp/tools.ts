/**
 * The tool calls of one turn, put together from updates that tell only what changed.
 *
 * At most `callsMax` calls are remembered. The oldest is forgotten then, and a later update of it is read as a new call.
 */
import type { BoundedText, FileDiff, ToolPart, ToolStatus } from '../../core/model/output.ts';
import type { ActionKind, RequestedAction } from '../../core/model/permission.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import { commandLine } from '../shared/command-line.ts';
import { diffOfTexts } from '../shared/diffs.ts';
import { judged, pathsIn } from '../shared/judge.ts';
import { bounded, inputText } from '../shared/parts.ts';
import { textOf } from './parse.ts';
import type { Profile } from './profiles/profile.ts';

const callsMax = 1_000;
const titleMax = 4_000;
const touchedMax = 500;
/** UTF-16 units that are kept of pieces of output until the call is over. */
const outputMax = 1_048_576;

/** `move` takes a file away from where it was. A policy has no name for thinking and for a change of mode. */
const kinds: { readonly [kind: string]: ActionKind } = {
  read: 'read',
  search: 'search',
  edit: 'edit',
  delete: 'delete',
  move: 'delete',
  execute: 'execute',
  fetch: 'fetch',
};

/** What a call touches: for the person who is asked, and to recognise the request that carries it out. */
export interface Action {
  readonly ask: RequestedAction;
  /** The agent's own kind, wherever the paths lead. */
  readonly kind: ActionKind;
  readonly paths: readonly string[];
  readonly command: string | null;
}

/** Null: the file was not there. Some programs give the whole file, some the changed lines alone. */
interface Change {
  readonly before: string | null;
  readonly after: string;
}

type Dialect = Pick<Profile, 'toolName' | 'outputPiece'>;

interface Call {
  readonly kind: string | null;
  readonly title: string | null;
  readonly name: string | null;
  readonly command: string | null;
  readonly paths: readonly string[];
  /** All that it may touch; null: more than can be told. */
  readonly touched: readonly string[] | null;
  /** What a search looks for: of files or of their content. */
  readonly pattern: string | null;
  readonly input: BoundedText | null;
  /** What it says to change, by path. */
  readonly changes: ReadonlyMap<string, Change>;
  /** What the program gave of the output in an extension. */
  readonly pieces: string;
  /** The last status that was emitted. */
  readonly emitted: ToolStatus | null;
  readonly startedAt: number | null;
}

const newCall: Call = {
  kind: null,
  title: null,
  name: null,
  command: null,
  paths: [],
  touched: [],
  pattern: null,
  input: null,
  changes: new Map(),
  pieces: '',
  emitted: null,
  startedAt: null,
};

export class ToolCalls {
  readonly #dialect: Dialect;
  readonly #wall: () => number;
  readonly #folder: string | null;
  readonly #calls = new Map<string, Call>();

  /** `wall`: wall-clock ms. `folder`: the session's; null: it has none. */
  constructor(dialect: Dialect, wall: () => number, folder: string | null) {
    this.#dialect = dialect;
    this.#folder = folder;
    this.#wall = wall;
  }

  /** A `tool_call` or `tool_call_update`. Returns what is new for the tape; null: nothing. */
  take(update: Fields): ToolPart | null {
    const id = textAt(update, 'toolCallId');
    if (id === null) {
      return null;
    }
    const call = this.#learn(id, update);
    const status = statusOf(update) ?? call.emitted;
    if (status === null || status === call.emitted) {
      return null;
    }
    const now = this.#wall();
    const startedAt = call.startedAt ?? (status === 'started' ? now : null);
    const over = status !== 'started';
    const kept = over ? { ...call, changes: newCall.changes, pieces: '' } : call;
    this.#remember(id, { ...kept, emitted: status, startedAt });
    return {
      kind: 'tool',
      id,
      name: nameOf(call),
      action: actionOf(call).ask.kind,
      title: titleOf(call),
      status,
      ...(call.input === null ? {} : { input: call.input }),
      ...(over ? { output: bounded(outputOf(update, call.pieces)), endedAt: now } : {}),
      ...(status === 'completed' && call.changes.size > 0 ? { diffs: diffsOf(call.changes) } : {}),
      ...(startedAt === null ? {} : { startedAt }),
    };
  }

  /** The call of a permission request, with what was known of it. */
  requested(toolCall: Fields): Action {
    const id = textAt(toolCall, 'toolCallId');
    const call = id === null ? merge(newCall, toolCall, this.#dialect) : this.#learn(id, toolCall);
    const action = actionOf(call);
    return { ...action, ask: judged(action.ask, this.#folder, touchedBy(call)) };
  }

  /** It was allowed, so it runs: some agents report nothing before it is over. */
  allowed(toolCall: Fields): ToolPart | null {
    return this.take({ toolCallId: toolCall['toolCallId'], status: 'in_progress' });
  }

  #learn(id: string, update: Fields): Call {
    const call = merge(this.#calls.get(id) ?? newCall, update, this.#dialect);
    this.#remember(id, call);
    return call;
  }

  #remember(id: string, call: Call): void {
    this.#calls.set(id, call);
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined && this.#calls.size > callsMax) {
      this.#calls.delete(oldest);
    }
  }
}

function merge(call: Call, update: Fields, dialect: Dialect): Call {
  const paths = pathsOf(update);
  const piece = call.pieces.length < outputMax ? (dialect.outputPiece(update) ?? '') : '';
  return {
    kind: textAt(update, 'kind') ?? call.kind,
    title: textAt(update, 'title') ?? call.title,
    name: dialect.toolName(update) ?? textAt(update, 'name') ?? call.name,
    command: commandOf(fieldsAt(update, 'rawInput')) ?? call.command,
    paths: paths.length === 0 ? call.paths : paths,
    touched: touchedAfter(call.touched, paths, pathsIn(update['rawInput'])),
    pattern: textAt(fieldsAt(update, 'rawInput'), 'pattern') ?? call.pattern,
    input: inputText(update['rawInput']).input ?? call.input,
    changes: changesAfter(call.changes, update),
    pieces: call.pieces + piece,
    emitted: call.emitted,
    startedAt: call.startedAt,
  };
}

/** What the editor tool of Anthropic calls a command is the kind of an edit. */
const edits = /^(?:view|create|str_replace|insert|undo_edit)$/;

/** A call that brings a command runs it, whatever kind the agent names: a policy may allow kinds that run nothing. */
function actionOf(call: Call): Action {
  const named = call.kind === null ? 'other' : (kinds[call.kind] ?? 'other');
  const runs = call.command !== null && !(edits.test(call.command) && call.paths.length > 0);
  const kind = runs && named !== 'other' && named !== 'fetch' ? 'execute' : named;
  return { ask: { kind, tool: nameOf(call), title: titleOf(call) }, kind, paths: call.paths, command: call.command };
}

/** Null: it names no file, so it may mean any. A search without a path means the folder; its pattern may be a path. */
function touchedBy({ kind, touched, name, pattern }: Call): readonly string[] | null {
  const searches = kind === 'search';
  if (touched === null || (touched.length === 0 && !searches)) {
    return null;
  }
  return searches && pattern !== null && !/grep|content/i.test(name ?? '') ? [...touched, pattern] : touched;
}

/** Nothing that was once named is forgotten: a request need not repeat it. */
function touchedAfter(
  known: readonly string[] | null,
  paths: readonly string[],
  named: readonly string[] | null,
): readonly string[] | null {
  const all = known === null || named === null ? null : [...new Set([...known, ...paths, ...named])];
  return all === null || all.length > touchedMax ? null : all;
}

const nameOf = (call: Call): string => call.name ?? call.kind ?? 'tool';

/** An agent's title is made to be shown. A rule needs the command or the path itself. */
function titleOf({ kind, title, command, paths }: Call): string {
  if (command !== null) {
    return head(command, titleMax);
  }
  const ofFiles = kind === 'edit' || kind === 'delete' || kind === 'move' || kind === 'read';
  if (ofFiles && paths.length > 0) {
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
  return commandLine(command);
}

/** All paths that a call names, wherever it names them. */
function pathsOf(update: Fields): readonly string[] {
  const input = fieldsAt(update, 'rawInput');
  const named = ['file_path', 'filePath', 'filepath', 'fileName', 'path'].map((name) => textAt(input, name));
  const located = listAt(update, 'locations').map((one) => textAt(one, 'path'));
  const changed = changesIn(update).map((one) => textAt(one, 'path'));
  return [...new Set([...located, ...changed, ...named].filter((path) => path !== null))];
}

const changesIn = (update: Fields): readonly Fields[] =>
  listAt(update, 'content').filter((one) => one['type'] === 'diff');

/** The longest report about one file counts: it shows the most context of the change. */
function changesAfter(known: ReadonlyMap<string, Change>, update: Fields): ReadonlyMap<string, Change> {
  const told = changesIn(update);
  if (told.length === 0) {
    return known;
  }
  const changes = new Map(known);
  for (const one of told) {
    const path = textAt(one, 'path') ?? '?';
    const change = { before: textAt(one, 'oldText'), after: textAt(one, 'newText') ?? '' };
    const before = changes.get(path);
    if (before === undefined || lengthOf(change) >= lengthOf(before)) {
      changes.set(path, change);
    }
  }
  return changes;
}

const lengthOf = ({ before, after }: Change): number => (before ?? '').length + after.length;

const diffsOf = (changes: ReadonlyMap<string, Change>): readonly FileDiff[] =>
  [...changes].map(([path, { before, after }]) => diffOfTexts(path, before, after)).filter((diff) => diff !== null);

/** A pending call does not run: its input is not complete, or it waits for permission. Some agents give no status. */
function statusOf(update: Fields): ToolStatus | null {
  const { status } = update;
  if (status === 'completed' || status === 'failed') {
    return status;
  }
  const hasInput = Object.keys(fieldsAt(update, 'rawInput')).length > 0;
  return status === 'in_progress' || (status === undefined && hasInput) ? 'started' : null;
}

function outputOf(update: Fields, pieces: string): string {
  const raw = update['rawOutput'];
  if (pieces !== '' || typeof raw === 'string') {
    // The content of such a call is made to be shown, for example as Markdown.
    return pieces === '' ? String(raw) : pieces;
  }
  const said = listAt(update, 'content')
    .map((one) => (one['type'] === 'content' ? textOf(fieldsAt(one, 'content')) : null))
    .filter((text) => text !== null);
  if (said.length > 0 || !isFields(raw)) {
    return said.join('\n');
  }
  return textAt(raw, 'output') ?? textAt(raw, 'error') ?? textAt(raw, 'message') ?? '';
}
