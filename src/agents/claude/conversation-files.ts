/**
 * Where Claude Code keeps a conversation: one file, in a folder that is named after the folder that it works in. So its place is another
 * one where the session's folder has another path.
 */
import type { ConversationFile, ConversationPlace } from '../conversation-file.ts';
import { type ClaudeDriverOptions, programOptions } from './options.ts';
import { configFolder } from './settings.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A longer name is cut, and gets a number behind it that only Claude Code can make. */
const nameMax = 200;

export function conversationFiles(
  options: ClaudeDriverOptions,
  { conversation, folder }: ConversationPlace,
): readonly ConversationFile[] | null {
  const cwd = folder ?? options.cwd ?? null;
  const project = cwd?.replaceAll(/[^A-Za-z0-9]/g, '-') ?? '';
  if (project === '' || project.length > nameMax || !uuid.test(conversation)) {
    return null;
  }
  const { env = {} } = programOptions(options, { kind: 'resumed', conversation }, null, folder);
  const root = configFolder({ env, folder });
  return [{ name: 'conversation.jsonl', root, at: ['projects', project, `${conversation}.jsonl`] }];
}
