/** What Codex did in a turn, as the tape wants to show it. Shapes: `ThreadItem` of the app server. */
import type { Fields } from '../child/json-lines.ts';
import type { ActionKind } from '../../core/policy.ts';
import type { ToolPart } from '../../core/events.ts';
import { bounded, inputText } from '../shared/parts.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { scriptOf } from './reading.ts';

const titleMax = 300;

/** The names by which a policy knows the tools (docs/agents/codex.md). */
export const toolNames = { command: 'shell', patch: 'apply_patch', permissions: 'request_permissions' } as const;

export const mcpTool = (server: string, tool: string): string => `mcp__${server}__${tool}`;

/** One line, cut. */
export const titled = (text: string): string => head(text.replace(/\s+/g, ' ').trim(), titleMax);

/** A patch of one file is called by its path, so that a policy can name it; one of several never looks like that. */
export function patchTitle(changes: readonly Fields[]): string {
  const paths = changes.map((change) => textAt(change, 'path') ?? '?');
  return titled(paths.length === 1 ? (paths[0] ?? '?') : `${paths.length} files: ${paths.join(', ')}`);
}

/** Null: it is no tool. `over`: the item has been completed. */
export function toolOf(item: Fields, over: boolean): ToolPart | null {
  const described = describe(item);
  if (described === null) {
    return null;
  }
  const { name, action = 'other', title, input, output } = described;
  const state = textAt(item, 'status');
  const failed = state === 'failed' || state === 'declined';
  const status = !over ? 'started' : failed ? 'failed' : 'completed';
  return {
    kind: 'tool',
    id: textAt(item, 'id'),
    name,
    action,
    title: titled(title) || name,
    status,
    ...inputText(input),
    ...(over && output !== undefined ? { output: bounded(output) } : {}),
  };
}

interface Described {
  readonly name: string;
  /** Default: `other`. */
  readonly action?: ActionKind;
  readonly input?: unknown;
  readonly title: string;
  readonly output?: string;
}

function describe(item: Fields): Described | null {
  const type = textAt(item, 'type') ?? '';
  switch (type) {
    case 'commandExecution': {
      const output = textAt(item, 'aggregatedOutput');
      return {
        name: toolNames.command,
        action: 'execute',
        input: { command: item['command'], cwd: item['cwd'] },
        title: scriptOf(textAt(item, 'command') ?? ''),
        ...(output === null ? {} : { output }),
      };
    }
    case 'fileChange':
      return { name: toolNames.patch, action: 'edit', title: patchTitle(listAt(item, 'changes')) };
    case 'mcpToolCall': {
      const [server, tool] = [textAt(item, 'server') ?? '?', textAt(item, 'tool') ?? '?'];
      const said = listAt(fieldsAt(item, 'result'), 'content').map((part) => textAt(part, 'text') ?? '');
      const output = textAt(fieldsAt(item, 'error'), 'message') ?? said.join('\n');
      return {
        name: mcpTool(server, tool),
        title: JSON.stringify(item['arguments'] ?? {}),
        input: item['arguments'],
        output,
      };
    }
    case 'collabAgentToolCall':
      return { name: textAt(item, 'tool') ?? type, title: textAt(item, 'prompt') ?? '' };
    case 'webSearch':
      return { name: 'web_search', action: 'fetch', title: textAt(item, 'query') ?? '' };
    case 'imageView':
      return { name: 'view_image', action: 'read', title: textAt(item, 'path') ?? '' };
    case 'dynamicToolCall':
      return { name: textAt(item, 'tool') ?? type, title: JSON.stringify(item['arguments'] ?? {}) };
    case 'imageGeneration':
    case 'contextCompaction':
    case 'subAgentActivity':
    case 'functionCallOutput':
      return { name: type, title: textAt(item, 'name') ?? textAt(item, 'agentPath') ?? '' };
    default:
      // Messages, reasoning, plans, and what later versions may bring.
      return null;
  }
}

/** Text of all that an agent says in these items. */
export const messagesIn = (items: readonly Fields[]): string =>
  items
    .filter((item) => item['type'] === 'agentMessage')
    .map((item) => textAt(item, 'text') ?? '')
    .join('\n\n');
