/** What the session's tape says of a rollback: that the conversation was rewound, or not, once an agent has read the prompt that asked for it. */
import type { Facts } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofSession } from './told.ts';

export function toldOfRewind({ input, before, was }: Facts): readonly Told[] {
  const { agent } = before;
  const from = before.conversation.rewind;
  if (from === null || was === null || from === was.id || was.phase !== 'sent') {
    return nothing;
  }
  const carried = agent.kind === 'up' && agent.caps.rewind;
  const told = (ok: boolean): readonly Told[] => [ofSession('conversation-rewound', { from, turn: was.id, ok })];
  if (input.type === 'turn-started') {
    return told(carried);
  }
  if (input.type !== 'result') {
    return nothing;
  }
  const { outcome, report } = input.result;
  if (outcome !== 'failed') {
    return told(carried);
  }
  return report?.failure?.transient === true ? nothing : told(false);
}
