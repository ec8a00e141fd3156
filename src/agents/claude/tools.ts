/** Claude Code's tools in the words of all dialects: what a use of one is about, and what it asks permission for. */
import { isAbsolute, relative, resolve } from 'node:path';
import type { ActionKind, PermissionAsk } from '../../core/policy.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { ToolPart } from '../../core/events.ts';
import { bounded, inputText } from '../shared/parts.ts';

interface Tool {
  readonly kind: ActionKind;
  /** The field of its input that says what it is about. */
  readonly about: string;
  /** Its subject is a path. */
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

/** All of a command, since a policy must see what stands behind its beginning; a cut one ends with `…`. */
const titleMax = 4_000;

export function titleOf(name: string, input: Fields): string {
  const subject = tools[name] === undefined ? null : textAt(input, tools[name].about);
  const pattern = textAt(input, 'pattern');
  const words = [pattern, subject].filter((one) => one !== null).join(' in ');
  const text = words !== '' ? words : (textAt(input, 'description') ?? '');
  if (text !== '') {
    return head(text.trim(), titleMax);
  }
  const rest = JSON.stringify(input);
  return rest === '{}' ? name : `${name} ${head(rest, 200)}`;
}

/**
 * `folder`: the session's. Claude Code reads inside of it without asking, so a read that it does ask for
 * leads out of it, and so may an edit: that is no longer what a policy means by `read` and `edit`.
 */
export function askOf(body: Fields, folder: string): PermissionAsk {
  const tool = textAt(body, 'tool_name') ?? '';
  const input = fieldsAt(body, 'input');
  const known = tools[tool];
  const kind =
    known === undefined || (known.file === true && leadsOut(body, input, known, folder)) ? 'other' : known.kind;
  return { kind, tool, title: titleOf(tool, input) };
}

function leadsOut(body: Fields, input: Fields, { about }: Tool, folder: string): boolean {
  const reason = textAt(body, 'decision_reason_type');
  if (reason === 'workingDir' || reason === 'safetyCheck') {
    return true;
  }
  const path = textAt(input, about);
  if (path === null) {
    return false;
  }
  const inside = relative(folder, resolve(folder, path));
  return inside === '..' || inside.startsWith('../') || isAbsolute(inside);
}

/** The request as it goes on the tape: whole in its shape, cut in its length. */
export function detailOf(body: Fields): Fields {
  const { subtype: _, permission_suggestions: __, ...rest } = body;
  return shortened(rest, 4) as Fields;
}

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return head(value, 2_000);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === 0) {
    return '…';
  }
  if (Array.isArray(value)) {
    return value.slice(0, 20).map((one) => shortened(one, depth - 1));
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 50)
      .map(([name, one]) => [name, shortened(one, depth - 1)]),
  );
}

/** The end of a use whose beginning was not heard. */
const unknownUse: ToolPart = {
  kind: 'tool',
  id: null,
  name: 'unknown',
  action: 'other',
  title: 'unknown',
  status: 'started',
};

/** The uses of tools that one turn has begun, to tell of their ends by name. */
export class ToolUses {
  readonly #running = new Map<string, ToolPart>();

  get running(): boolean {
    return this.#running.size > 0;
  }

  /** The turn is over, and whatever it ran. */
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
      action: tools[name]?.kind ?? 'other',
      title: titleOf(name, input),
      status: 'started',
      ...inputText(input),
    };
    if (id !== null) {
      this.#running.set(id, part);
    }
    return part;
  }

  /** A block `tool_result`. */
  end(block: Fields): ToolPart {
    const id = textAt(block, 'tool_use_id');
    const begun: ToolPart = this.#running.get(id ?? '') ?? { ...unknownUse, id };
    if (id !== null) {
      this.#running.delete(id);
    }
    const status = block['is_error'] === true ? 'failed' : 'completed';
    return { ...begun, status, output: bounded(outputOf(block)) };
  }
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
