/**
 * Takes out of a transcript what no test looks at: lists of commands, tools and models with their vendor's descriptions, sockets,
 * and the parts of a bill. What is left of a frame is as it was.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const emptied = new Set([
  'commands',
  'agents',
  'models',
  'tools',
  'slash_commands',
  'terminal_slash_commands',
  'skills',
  'plugins',
  'available_output_styles',
]);
const dropped = new Set([
  'messaging_socket_path',
  'memory_paths',
  'user_output_styles_dir',
  'subagent_stats',
  'iterations',
  'server_tool_use',
  'cache_creation',
  'output_tokens_details',
  'permission_suggestions',
]);

export function thinTranscript(file: string): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(thin(JSON.parse(line)))}\n`).join(''));
}

function thin(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(thin);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !dropped.has(name))
      .map(([name, one]) => [name, emptied.has(name) && Array.isArray(one) ? [] : thin(one)]),
  );
}
