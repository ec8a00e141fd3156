/** The classes and the triggers of hang reports. */

/**
 * `main-loop-blocked`: the main loop of the daemon runs nothing. `channel-orphaned`: the agent's process is gone, and another
 * process holds its pipes. `agent-spinning`: in its turn, the agent says nothing and uses a whole core. `protocol-stuck`: it
 * is alive and does not answer a request, or does not read. `agent-silent`: in its turn, it says nothing and uses no CPU.
 * `waiting-for-person`: a permission request waits for a response, which is listed and is not a hang. `no-hang`: a person
 * requested the report, and nothing was found.
 *
 * Worst first: a report on everything takes the class of its worst finding.
 */
export const hangClasses = [
  'main-loop-blocked',
  'channel-orphaned',
  'agent-spinning',
  'protocol-stuck',
  'agent-silent',
  'waiting-for-person',
  'no-hang',
] as const;
export type HangClass = (typeof hangClasses)[number];

/** `watch`: the watchdog noticed it. `requested`: a person requested the report. `end`: the daemon did not end on request. */
export const hangTriggers = ['watch', 'requested', 'end'] as const;
export type HangTrigger = (typeof hangTriggers)[number];
