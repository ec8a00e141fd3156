import { sessionCommand } from '../session-command.ts';

export const command = sessionCommand({
  name: 'unpark',
  what: 'resume a parked or faulted session',
  next: 'Next: signalbox session SESSION',
  act: (client, key, by) => client.unpark(key, by),
  text: (key) => `${key} is unparked`,
});
