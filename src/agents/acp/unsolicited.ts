/**
 * What an agent says while no turn of ours runs: a task in the background, or something late. The protocol has no turn of the
 * agent's own, so all of it is output of the session.
 *
 * Owned by the agent's handle.
 */
import type { OutputPart } from '../../core/model/output.ts';
import { fieldsAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { partOf, textOf } from './parse.ts';
import type { Profile } from './profiles/profile.ts';
import { ToolCalls } from './tools.ts';

export class Unsolicited {
  readonly #tools: ToolCalls;

  constructor(profile: Profile, wall: () => number) {
    this.#tools = new ToolCalls(profile, wall, null);
  }

  /** Null: the kind of the update is not known. */
  partsOf(kind: string, update: Fields): readonly OutputPart[] | null {
    if (kind === 'tool_call' || kind === 'tool_call_update') {
      const tool = this.#tools.take(update);
      return tool === null ? [] : [tool];
    }
    const text = kind === 'agent_message_chunk' ? textOf(fieldsAt(update, 'content')) : null;
    const part: OutputPart | 'nothing' | null = text === null ? partOf(kind, update) : { kind: 'text', text };
    return part === null ? null : part === 'nothing' ? [] : [part];
  }
}
