/** Deadlines, by name. The durations are the shell's; `subject` says what the deadline guards, so that a late one is a no-op. */
export const timerNames = [
  'start', // subject: incarnation. The agent has not become ready.
  'switch', // subject: incarnation. The agent was asked to change its model and has not said that it did.
  'permission', // subject: turn. A permission request waits for a person.
  'drain', // subject: turn. An interrupt was latched or sent and the turn is not over.
  'silence', // subject: turn. The agent has said nothing during its turn; the shell moves it with every output.
  'hold', // subject: epoch. A task has waited this long for the owner.
  'protected', // subject: turn. The window of a protected turn is over.
  'wait', // subject: task. The oldest waiting background task was passed over, and waits on.
  'unsolicited', // subject: incarnation. A turn that nobody asked for does not end.
  'idle', // subject: incarnation. The agent has been at rest.
  'collect', // subject: task. The window for further parts is over.
  'lease', // subject: task. Its holder has said nothing; the shell moves it with all that the holder says.
  'expiry', // subject: task. The task is not to wait any longer.
] as const;
export type TimerName = (typeof timerNames)[number];

/** Those that end a wait for an agent, a person or an owner: their task's tape says so. */
export const deadlineNames = ['start', 'switch', 'permission', 'drain', 'silence', 'hold', 'unsolicited'] as const;
export type DeadlineName = (typeof deadlineNames)[number];
