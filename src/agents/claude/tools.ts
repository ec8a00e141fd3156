/**
 * Claude Code's tools as parts of the tape: what a use of one is about, when it began and ended, which files it changed.
 *
 * Owns: the uses that run. Owned by one agent.
 */
import type { FileDiff, ToolPart } from '../../core/model/output.ts';
import type { ActionKind } from '../../core/model/permission.ts';
import { diffOfHunks, diffOfTexts } from '../shared/diffs.ts';
import { shownPath } from '../shared/paths.ts';
import { type Fields, fieldsAt, head, isFields, listAt, numberAt, textAt } from '../child/fields.ts';
import { bounded, inputText } from '../shared/parts.ts';

interface Tool {
  readonly kind: ActionKind;
  /** The field of its input that says what it is about. */
  readonly about: string;
  /** That field is a path. */
  readonly file?: true;
}

/** What is not listed, tools of MCP servers among them, is `other`. */
const tools: { readonly [name: string]: Tool } = {
  Read: { kind: 'read', about: 'file_path', file: true },
  NotebookRead: { kind: 'read', about: 'notebook_path', file: true },
  LS: { kind: 'read', about: 'path', file: true },
  BashOutput: { kind: 'read', about: 'bash_id' },
  TaskOutput: { kind: 'read', about: 'task_id' },
  Glob: { kind: 'search', about: 'path', file: true },
  Grep: { kind: 'search', about: 'path', file: true },
  ToolSearch: { kind: 'search', about: 'query' },
  Edit: { kind: 'edit', about: 'file_path', file: true },
  MultiEdit: { kind: 'edit', about: 'file_path', file: true },
  Write: { kind: 'edit', about: 'file_path', file: true },
  NotebookEdit: { kind: 'edit', about: 'notebook_path', file: true },
  Bash: { kind: 'execute', about: 'command' },
  PowerShell: { kind: 'execute', about: 'command' },
  WebFetch: { kind: 'fetch', about: 'url' },
  WebSearch: { kind: 'fetch', about: 'query' },
  Task: { kind: 'other', about: 'description' },
  Agent: { kind: 'other', about: 'description' },
  Skill: { kind: 'other', about: 'skill' },
};

/** Null: not a known one. */
export const toolNamed = (name: string): Tool | null => (Object.hasOwn(tools, name) ? (tools[name] ?? null) : null);

/** A policy must see the whole command, since it may hold another one behind its beginning; a cut one ends with `…`. */
const titleMax = 4_000;

export function titleOf(name: string, input: Fields): string {
  const tool = toolNamed(name);
  const subject = tool === null ? null : textAt(input, tool.about);
  const pattern = textAt(input, 'pattern');
  const words = [pattern, subject].filter((one) => one !== null).join(' in ');
  const text = words !== '' ? words : (textAt(input, 'description') ?? '');
  if (text !== '') {
    return head(text.trim(), titleMax);
  }
  const rest = JSON.stringify(input);
  return rest === '{}' ? name : `${name} ${head(rest, 200)}`;
}

/** The end of a use whose beginning was not read. */
const unknownUse: ToolPart = {
  kind: 'tool',
  id: null,
  name: 'unknown',
  action: 'other',
  title: 'unknown',
  status: 'started',
};

export class ToolUses {
  readonly #wall: () => number;
  readonly #folder: string;
  readonly #running = new Map<string, ToolPart>();

  /** `folder`: the session's, to show paths from. */
  constructor(wall: () => number, folder: string) {
    this.#wall = wall;
    this.#folder = folder;
  }

  get running(): boolean {
    return this.#running.size > 0;
  }

  /** The turn is over, and with it all that it ran. */
  clear(): void {
    this.#running.clear();
  }

  /** A block `tool_use` of the assistant. */
  begin(block: Fields): ToolPart {
    const name = textAt(block, 'name') ?? 'unknown';
    const id = textAt(block, 'id');
    const input = fieldsAt(block, 'input');
    const part: ToolPart = {
      kind: 'tool',
      id,
      name,
      action: toolNamed(name)?.kind ?? 'other',
      title: titleOf(name, input),
      status: 'started',
      ...inputText(input),
      startedAt: this.#wall(),
    };
    if (id !== null) {
      this.#running.set(id, part);
    }
    return part;
  }

  /** A block `tool_result`. `report`: what the tool reports beside it. */
  end(block: Fields, report: unknown): ToolPart {
    const id = textAt(block, 'tool_use_id');
    const begun: ToolPart = this.#running.get(id ?? '') ?? { ...unknownUse, id };
    if (id !== null) {
      this.#running.delete(id);
    }
    const failed = block['is_error'] === true;
    const diff = failed || !isFields(report) ? null : this.#diffOf(report);
    return {
      ...begun,
      status: failed ? 'failed' : 'completed',
      output: bounded(outputOf(block)),
      ...(diff === null ? {} : { diffs: [diff] }),
      endedAt: this.#wall(),
    };
  }

  /** Edit and Write report the patch that they have applied; a new file has none. Null: no file was changed. */
  #diffOf(report: Fields): FileDiff | null {
    const path = textAt(report, 'filePath');
    if (path === null || !Array.isArray(report['structuredPatch'])) {
      return null;
    }
    const shown = shownPath(path, this.#folder);
    if (report['type'] === 'create') {
      return diffOfTexts(shown, null, textAt(report, 'content') ?? '');
    }
    return diffOfHunks(shown, listAt(report, 'structuredPatch').map(hunkOf).join('\n'));
  }
}

function hunkOf(hunk: Fields): string {
  const { lines } = hunk;
  const all = Array.isArray(lines) ? lines.filter((line) => typeof line === 'string') : [];
  const at = (side: 'old' | 'new'): string =>
    `${numberAt(hunk, `${side}Start`) ?? 0},${numberAt(hunk, `${side}Lines`) ?? 0}`;
  return [`@@ -${at('old')} +${at('new')} @@`, ...all].join('\n');
}

function outputOf(block: Fields): string {
  const content = block['content'];
  if (typeof content === 'string') {
    return content;
  }
  return listAt(block, 'content')
    .map((one) => textAt(one, 'text') ?? (isFields(one) ? `[${textAt(one, 'type') ?? 'block'}]` : ''))
    .join('\n');
}
