/** The driver with the real Gemini CLI, offline. Left out, and said so, where it is not installed. */
import { realTests } from './real/acp.ts';

realTests('gemini', {
  models: { other: 'gemini-2.5-pro' },
  resumes: {
    unable: 'it forgets a conversation that it takes up in the minute in which it was begun; see the test beside',
  },
});
