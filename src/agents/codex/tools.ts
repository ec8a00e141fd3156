/** What Codex did in a turn, as the tape shows it. Shapes: `ThreadItem` of the app server. */
import type { FileDiff, ToolPart, ToolStatus } from '../../core/model/output.ts';
import type { ActionKind } from '../../core/model/permission.ts';
import { fieldsAt, head, listAt, numberAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { diffOfHunks, diffOfTexts } from '../shared/diffs.ts';
import { bounded, inputText } from '../shared/parts.ts';
import { onlyReads, scriptOf } from '../shared/reading-commands.ts';

const titleMax = 300;

/** The names by which a policy knows the tools (docs/agents/codex.md). */
export const toolNames = { command: 'shell', patch: 'apply_patch', permissions: 'request_permissions' } as const;

export const mcpTool = (server: string, tool: string): string => `mcp__${server}__${tool}`;

/** One line, cut to its bound. */
export const titled = (text: string): string => head(text.replace(/\s+/g, ' ').trim(), titleMax);

/** The title of a patch of one file is its path, so that a policy can name it; that of several files never is a path. */
export function patchTitle(changes: readonly Fields[]): string {
  const paths = changes.map((change) => textAt(change, 'path') ?? '?');
  return titled(paths.length === 1 ? (paths[0] ?? '?') : `${paths.length} files: ${paths.join(', ')}`);
}

export const patchKind = (changes: readonly Fields[]): ActionKind =>
  changes.some((change) => fieldsAt(change, 'kind')['type'] === 'delete') ? 'delete' : 'edit';

/** Null: the item is not the use of a tool. */
export function toolPartOf(item: Fields, completed: boolean): ToolPart | null {
  const tool = describe(item);
  if (tool === null) {
    return null;
  }
  const status = statusOf(item, completed);
  const [startedAt, endedAt] = [numberAt(item, 'startedAtMs'), numberAt(item, 'completedAtMs')];
  return {
    kind: 'tool',
    id: textAt(item, 'id'),
    name: tool.name,
    action: tool.action ?? 'other',
    title: titled(tool.title) || tool.name,
    status,
    ...inputText(tool.input),
    ...(completed && tool.output !== undefined ? { output: bounded(tool.output) } : {}),
    ...(status === 'completed' && tool.diffs !== undefined ? { diffs: tool.diffs() } : {}),
    ...(startedAt === null ? {} : { startedAt }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}

function statusOf(item: Fields, completed: boolean): ToolStatus {
  const status = textAt(item, 'status');
  if (!completed) {
    return 'started';
  }
  return status === 'failed' || status === 'declined' ? 'failed' : 'completed';
}

interface Tool {
  readonly name: string;
  /** Default: `other`. */
  readonly action?: ActionKind;
  readonly title: string;
  readonly input?: unknown;
  readonly output?: string;
  readonly diffs?: () => readonly FileDiff[];
}

function describe(item: Fields): Tool | null {
  const type = textAt(item, 'type') ?? '';
  switch (type) {
    case 'commandExecution':
      return command(item);
    case 'fileChange': {
      const changes = listAt(item, 'changes');
      return {
        name: toolNames.patch,
        action: patchKind(changes),
        title: patchTitle(changes),
        input: { changes },
        diffs: () => changes.map(diffOf),
      };
    }
    case 'mcpToolCall':
      return mcpCall(item);
    case 'dynamicToolCall': {
      const input = item['arguments'];
      const said = listAt(item, 'contentItems').map((part) => textAt(part, 'text') ?? '');
      return { name: textAt(item, 'tool') ?? type, title: JSON.stringify(input ?? {}), input, output: said.join('\n') };
    }
    case 'collabAgentToolCall': {
      const prompt = textAt(item, 'prompt') ?? '';
      return { name: textAt(item, 'tool') ?? type, title: prompt, ...(prompt === '' ? {} : { input: { prompt } }) };
    }
    case 'webSearch':
      return { name: 'web_search', action: 'fetch', title: textAt(item, 'query') ?? '' };
    case 'imageView':
      return { name: 'view_image', action: 'read', title: textAt(item, 'path') ?? '' };
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

function command(item: Fields): Tool {
  const script = scriptOf(textAt(item, 'command') ?? '');
  const output = textAt(item, 'aggregatedOutput');
  return {
    name: toolNames.command,
    action: onlyReads(script) ?? 'execute',
    title: script,
    input: { command: script, cwd: item['cwd'] },
    ...(output === null ? {} : { output }),
  };
}

function mcpCall(item: Fields): Tool {
  const input = item['arguments'];
  const said = listAt(fieldsAt(item, 'result'), 'content').map((part) => textAt(part, 'text') ?? '');
  return {
    name: mcpTool(textAt(item, 'server') ?? '?', textAt(item, 'tool') ?? '?'),
    title: JSON.stringify(input ?? {}),
    input,
    output: textAt(fieldsAt(item, 'error'), 'message') ?? said.join('\n'),
  };
}

/** Of a new or deleted file Codex gives the whole text, of a changed one the hunks. */
function diffOf(change: Fields): FileDiff {
  const [path, diff] = [textAt(change, 'path') ?? '?', textAt(change, 'diff') ?? ''];
  const how = fieldsAt(change, 'kind');
  switch (how['type']) {
    case 'add':
      return diffOfTexts(path, null, diff) ?? diffOfHunks(path, '', { created: true });
    case 'delete':
      return diffOfTexts(path, diff, null) ?? diffOfHunks(path, '', { deleted: true });
    default: {
      const movedTo = textAt(how, 'move_path');
      if (movedTo === null) {
        return diffOfHunks(path, diff);
      }
      // Codex says so behind the hunks too.
      return diffOfHunks(path, diff.replace(/\n+Moved to: .*\s*$/, '\n'), { movedTo });
    }
  }
}

/** All that the agent says in these items. */
export const messagesIn = (items: readonly Fields[]): string =>
  items
    .filter((item) => item['type'] === 'agentMessage')
    .map((item) => textAt(item, 'text') ?? '')
    .join('\n\n');
