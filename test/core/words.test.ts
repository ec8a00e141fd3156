/** What an agent is told of earlier turns: whether a text is sent again, and what may have half happened. */
import { describe, expect, test } from 'vitest';
import { Box, everything, inBackground } from '../support/core-driver.ts';

/** What the last prompt says: `text` or `note`, and `cut` where an earlier turn was cut off in the middle. */
function said(box: Box): string {
  const prompts = box.all('prompt');
  const last = prompts[prompts.length - 1];
  return `${last?.task} ${last?.delivered === true ? 'note' : 'text'}${last?.interruptedMidTurn === true ? ' cut' : ''}`;
}

/** A session whose background task is in its turn, in which the model has spoken. */
function working(fields: Parameters<typeof inBackground>[0] = {}): Box {
  const box = inBackground(fields);
  box.output();
  return box;
}

/** An interactive task takes the session from the running turn, and is answered. */
function preempted(box: Box, id = 'A'): void {
  box.submit(id);
  box.drains();
  box.answers();
}

describe('a turn', () => {
  test('that is silent in a tool costs no attempt, and the tape says that it was the tool (core/13)', () => {
    const box = inBackground({ maxAttempts: 1 });
    box.tool('started');
    box.passes('silence');
    box.drains();
    expect(box.events('bg', 'turn-ended')).toMatchObject([{ outcome: 'timed-out' }]);
    expect(box.events('bg', 'attempt-lost')).toEqual([{ reason: 'tool_silence', attempt: 1 }]);
    expect(box.task('bg')).toMatchObject({ attempts: 1, stage: 'owner' });
    expect(said(box)).toBe('bg note cut');
    const careful = inBackground({ onLost: 'fail' });
    careful.tool('started');
    careful.passes('silence');
    careful.drains();
    expect(careful.final('bg')).toBe('failed tool_silence');
  });
});

describe('a task that was preempted', () => {
  test('gets its text once, however often it is preempted (core/46)', () => {
    const box = working();
    for (const id of ['A', 'B', 'C']) {
      preempted(box, id);
      expect(said(box)).toBe('bg note');
      box.started();
    }
    expect(box.events('bg', 'turn-sent').map(({ delivered }) => delivered)).toEqual([false, true, true, true]);
  });

  test('gets its text again where the conversation was lost, or its agent has none to resume (core/46)', () => {
    const lost = working();
    lost.submit('A');
    lost.drains();
    lost.started();
    lost.exited();
    lost.ready({ conversationReset: true, conversation: 'c2' });
    lost.answers();
    expect(said(lost)).toBe('bg text');
    const nameless = new Box();
    nameless.background('bg');
    nameless.ready({ conversation: null });
    nameless.started();
    nameless.output();
    nameless.submit('A');
    nameless.drains();
    nameless.started();
    nameless.exited();
    nameless.ready({ conversation: null });
    nameless.answers();
    expect(said(nameless)).toBe('bg text');
  });

  test('gets its text again from an agent that keeps no prompts, or whose model has not spoken in the turn (core/46)', () => {
    const forgetful = new Box();
    forgetful.background('bg');
    forgetful.ready({ caps: { ...everything, keepsPrompts: false } });
    forgetful.started();
    forgetful.output();
    preempted(forgetful);
    expect(said(forgetful)).toBe('bg text');
    const silent = inBackground();
    preempted(silent);
    expect(said(silent)).toBe('bg text');
    const unread = new Box();
    unread.background('bg');
    unread.ready();
    unread.fails('overloaded', true);
    expect(said(unread)).toBe('bg text');
    const none = working();
    none.submit('A');
    none.ack({ noResult: true });
    none.answers();
    expect(said(none)).toBe('bg text');
  });

  test('gets its text again after a turn without a boundary, unless one before it had its own (core/46)', () => {
    const box = working();
    box.exited();
    box.ready();
    expect(said(box)).toBe('bg text cut');
    box.started();
    box.output();
    preempted(box);
    expect(said(box)).toBe('bg note');
    box.started();
    box.exited();
    box.ready();
    expect(said(box)).toBe('bg note cut');
  });

  test('keeps what the conversation has through a restart of the daemon (core/46)', () => {
    const box = working();
    box.submit('A');
    box.drains();
    box.crash();
    box.ready();
    box.answers();
    expect(said(box)).toBe('bg note');
  });
});

describe('a turn that failed for a reason that passes', () => {
  test('is continued by a note where the agent had confirmed it (core/46)', () => {
    const box = working();
    box.fails('overloaded', true);
    expect(said(box)).toBe('bg note');
  });
});

describe('a tool call', () => {
  test('that was open when its turn was interrupted is uncertain after a clean drain, and the next prompt says so once (core/46)', () => {
    const box = working();
    box.tool('started');
    preempted(box);
    expect(said(box)).toBe('bg note cut');
    expect(box.task('bg').interruptedMidTurn).toBe(true);
    box.started();
    box.output();
    preempted(box, 'B');
    expect(said(box)).toBe('bg note');
  });

  test('that has ended is not, and one that only says so behind the interrupt is (core/46)', () => {
    const story = (...steps: readonly ('completed' | 'failed' | 'interrupt')[]): string => {
      const box = working();
      box.tool('started');
      for (const step of steps) {
        if (step === 'interrupt') {
          box.submit('A');
        } else {
          box.tool(step);
        }
      }
      box.drains();
      box.answers();
      return said(box);
    };
    expect(story('completed', 'interrupt')).toBe('bg note');
    expect(story('failed', 'interrupt')).toBe('bg note');
    expect(story('interrupt', 'completed')).toBe('bg note cut');
    expect(story('interrupt', 'failed')).toBe('bg note cut');
  });

  test('is known by its name where the agent gives no id (core/46)', () => {
    const box = working();
    box.tool('started', null);
    box.tool('started', 't2');
    box.tool('completed', 't2');
    preempted(box);
    expect(said(box)).toBe('bg note cut');
  });

  test('may have happened unannounced in a turn that ended at the silence deadline (core/46)', () => {
    const box = working();
    box.passes('silence');
    box.drains();
    expect(said(box)).toBe('bg note cut');
  });
});

describe('messages that share a turn', () => {
  const p = { mergeGroup: 'p', whenBusy: 'collect' } as const;
  const merged = (): Box => {
    const box = new Box();
    box.background('one', p);
    box.background('two', p);
    box.passes('collect');
    box.runs();
    box.output();
    return box;
  };

  test('are continued by one note (core/46)', () => {
    const box = merged();
    preempted(box);
    expect(said(box)).toBe('one note');
  });

  test('are sent again without one that was cancelled, whenever that was (core/46)', () => {
    const inTurn = merged();
    inTurn.cancel('two');
    preempted(inTurn);
    expect(said(inTurn)).toBe('one text');
    const waiting = merged();
    waiting.submit('A');
    waiting.drains();
    waiting.cancel('two');
    waiting.answers();
    expect(said(waiting)).toBe('one text');
    const leader = merged();
    leader.cancel('one');
    leader.drains();
    expect(said(leader)).toBe('two text');
  });

  test('that were steered into a turn are sent again, also where the turn had taken them (core/46)', () => {
    for (const ends of [true, false]) {
      const box = working({ mergeGroup: 'p' });
      box.background('more', { mergeGroup: 'p', whenBusy: 'steer' });
      box.steered('more', true);
      box.submit('A');
      if (ends) {
        box.drains();
      } else {
        box.exited();
        box.ready();
      }
      box.answers();
      expect(said(box)).toBe(`bg ${ends ? 'note' : 'text cut'}`);
      box.answers();
      // An agent may have forgotten it with the interrupt.
      expect(said(box)).toBe(`more text${ends ? '' : ' cut'}`);
    }
  });
});

describe('a code runner', () => {
  test('has each of its turns continued by a note, and begins the next with its text (core/46)', () => {
    const box = new Box();
    box.background('code', { mode: 'code' });
    box.call('code', 1, 1);
    box.runs();
    box.output();
    preempted(box);
    expect(said(box)).toBe('code note');
    box.answers();
    box.call('code', 1, 2);
    expect(said(box)).toBe('code text');
    box.started();
    box.output();
    preempted(box, 'B');
    expect(said(box)).toBe('code note');
  });

  test('that was lost learns it, and so does the agent, with the whole text (core/46)', () => {
    const box = new Box();
    box.background('code', { mode: 'code' });
    box.call('code', 1, 1);
    box.runs();
    box.output();
    preempted(box);
    box.started();
    box.crash();
    box.call('code', box.epoch, 1);
    box.ready();
    expect(said(box)).toBe('code text cut');
  });
});
