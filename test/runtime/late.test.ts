/** The tests of the runtime once more, over stores that answer late and in any order. */
import { describe } from 'vitest';
import { answerLate } from '../support/box.ts';

answerLate(1);

describe('over a store that answers late', async () => {
  await import('./queue.test.ts');
  await import('./preempt.test.ts');
  await import('./permissions.test.ts');
  await import('./recovery.test.ts');
  await import('./runner.test.ts');
  await import('./holders.test.ts');
  await import('./crashes.test.ts');
  await import('./models.test.ts');
  await import('./providers.test.ts');
  await import('./shares.test.ts');
});
