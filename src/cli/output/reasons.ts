/** What the reason of an end says to a person; docs/events.md has all reasons. Those that say it themselves are left out. */
const reasons: { readonly [reason: string]: string } = {
  agent_failed: 'its turn failed, and the agent gave no class of failure',
  agent_lost: 'the agent ended during its turn',
  agent_killed: 'another program ended the agent',
  channel_broken: 'the agent closed its output or its input, and did not end',
  runner_failed: 'its code runner failed',
  holder_lost: 'its holder was silent for longer than its lease',
  hold_limit: 'it had the session for longer than limits.holdLimitMs while others waited',
  evicted: 'the session was taken from it by force',
  expired: 'its time was up while it waited',
  node_restarted: 'the daemon ended during its turn',
  tool_silence: 'a tool of the agent said nothing for limits.toolSilenceMs',
  silence_deadline: 'the agent said nothing for limits.silenceMs',
  turn_output_limit: 'its turn said more than limits.turnOutputBytes',
  turn_tool_limit: 'its turn made more tool calls than limits.turnToolCalls',
  turn_token_limit: 'its turn took more tokens than limits.turnTokens',
  turn_time_limit: 'its turn took longer than limits.turnLimitMs',
  auth: 'the agent has no login that its provider accepts',
  quota: 'the quota of the provider is used up',
  rate_limit: 'the provider limits the rate of requests',
  stopped: 'a stop of the turn, the queue or the session',
  replaced: 'a newer task took its place',
  interrupted: 'a newer task with `interrupt` took its place',
  rolled_back: 'a newer task with `rollback` took its place',
  answered_with: 'its text went with another task, which has the answer',
  failed_with: 'its text went with another task, which failed',
};

export const reasonText = (reason: string): string => {
  const words = reasons[reason];
  return words === undefined ? reason : `${reason}: ${words}`;
};
