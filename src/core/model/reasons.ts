/**
 * Why a rule ended something, as stable codes. What a sender, a runner or an agent gives as its reason is text of theirs, and no rule
 * reads it.
 */

/** Why a turn or a runner was lost: what took it before it could end by itself. `agent_killed`: somebody outside ended its agent. */
export type LossReason =
  | 'agent_lost'
  | 'channel_broken'
  | 'agent_killed'
  | 'agent_start_failed'
  | 'silence_deadline'
  | 'tool_silence'
  | 'drain_deadline'
  | 'unsolicited_deadline'
  | 'evicted'
  | 'agent_restarted'
  | 'node_restarted'
  | 'holder_lost'
  | 'fault';

/** How an agent took its turn with it: it ended by itself, it closed its channel, lived on, and was ended for that, or somebody else ended it. */
export type AgentLoss = Extract<LossReason, 'agent_lost' | 'channel_broken' | 'agent_killed'>;

/** Why Signalbox ended an agent. */
export type AgentEndReason =
  | 'start_deadline'
  | 'switch_deadline'
  | 'unsolicited_deadline'
  | 'drain_deadline'
  | 'idle'
  | 'make_room'
  | 'give_way'
  | 'model_switch'
  | 'fresh_conversation'
  | 'agent_assigned'
  | 'evicted'
  | 'restart'
  | 'fault';
