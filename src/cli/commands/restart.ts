import { sessionCommand } from '../session-command.ts';

export const command = sessionCommand({
  name: 'restart',
  what: 'restart the agent of a session; its conversation is resumed',
  next: 'Next: signalbox tail SESSION shows its start',
  act: (client, key, by) => client.restartAgent(key, by),
  text: (key) => `the agent of ${key} is being restarted`,
});
