import { describe, expect, it } from 'vitest';
import { Evicted, type Runner } from '../../src/runtime/index.ts';
import { expectSound, openBox } from '../support/box.ts';

const twoTurns: Runner = async ({ hold }) => {
  const first = await hold.turn('triage');
  await hold.progress({ done: 1 });
  const second = await hold.turn('reply');
  return { first: first.outcome, second: second.outcome };
};

describe('code runners', () => {
  it('C17 no other task runs between two turns of one interactive hold', async () => {
    await using one = await openBox({ runners: { twoTurns } });
    const task = await one.send({ runner: 'twoTurns' });
    const triage = await one.stage.turn();
    const other = await one.send({ prompt: 'other' });
    await one.background({ prompt: 'background' });
    triage.finish();
    const reply = await one.stage.turn();
    expect(reply.prompt).toBe('reply');
    reply.finish();
    expect(await one.ended(task)).toMatchObject({
      status: 'completed',
      final: { result: { first: 'completed', second: 'completed' } },
    });
    expect((await one.stage.turn()).prompt).toBe('other');
    await one.box.cancel(other);
    const background = await one.stage.turn();
    expect(background.prompt).toBe('background');
    background.finish();
    expectSound(await one.ended(task), await one.tape(task));
  });

  it('a background runner is preempted between two turns and resumed without special code', async () => {
    await using one = await openBox({ runners: { twoTurns } });
    const task = await one.background({ runner: 'twoTurns' });
    const triage = await one.stage.turn();
    const urgent = await one.send({ prompt: 'urgent' });
    await triage.interrupted;
    (await one.stage.turn()).finish('urgent done');
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    const again = await one.stage.turn();
    expect(again.prompt).toContain('triage');
    again.finish();
    (await one.stage.turn()).finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
  });

  it('C18 every call of an evicted runner is refused, and its successor continues untouched', async () => {
    const seen: unknown[] = [];
    let wedged = (): void => {};
    const stubborn: Runner = async ({ hold, signal }) => {
      await hold.turn('first').catch(() => {});
      await new Promise<void>((resolve) => {
        wedged = resolve;
      });
      seen.push(signal.aborted);
      for (const call of [() => hold.turn('nested'), () => hold.progress('late')]) {
        seen.push(await call().catch((error: unknown) => error));
      }
      return 'too late';
    };
    await using one = await openBox({ runners: { stubborn } });
    const task = await one.send({ runner: 'stubborn' });
    (await one.stage.turn()).finish();
    await one.event(task, 'turn-ended');
    const next = await one.send({ prompt: 'next' });
    const session = await one.box.session('test:one');
    const epoch = session?.owner?.epoch ?? 0;
    expect(await one.box.evict('test:one', { epoch: epoch + 7 })).toMatchObject({
      kind: 'refused',
      code: 'stale_epoch',
    });
    expect(await one.box.evict('test:one', { epoch })).toEqual({ kind: 'ok' });
    const successor = await one.stage.turn();
    wedged();
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: 'evicted' });
    successor.say('working');
    successor.finish('mine');
    const answer = { text: 'working\n\nmine' };
    expect(await one.ended(next)).toMatchObject({ status: 'completed', final: { answer } });
    expect(seen[0]).toBe(true);
    expect(seen.slice(1).every((error) => error instanceof Evicted)).toBe(true);
    expect(one.stage.prompts).toEqual(['first', 'next']);
    expectSound(await one.ended(task), await one.tape(task));
  });

  it('C25 a runner that throws between two turns ends its task and gives the session to the next waiter', async () => {
    const broken: Runner = async ({ hold }) => {
      await hold.turn('one');
      throw Object.assign(new Error('boom'), { code: 'runner_broke' });
    };
    await using one = await openBox({ runners: { broken } });
    const task = await one.send({ runner: 'broken' });
    const first = await one.stage.turn();
    const next = await one.send({ prompt: 'next' });
    first.finish();
    expect(await one.ended(task)).toMatchObject({ status: 'failed', reason: 'runner_broke' });
    (await one.stage.turn()).finish();
    expect(await one.ended(next)).toMatchObject({ status: 'completed' });
  });

  it('C25 a runner that returns during its turn has the turn interrupted, and keeps its own result', async () => {
    const hasty: Runner = async ({ hold }) => {
      hold.turn('never awaited').catch(() => {});
      await hold.progress('the turn is asked for');
      return 'result';
    };
    await using one = await openBox({ runners: { hasty } });
    const task = await one.send({ runner: 'hasty' });
    expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { result: 'result' } });
    expectSound(await one.ended(task), await one.tape(task));
    const after = await one.send({ prompt: 'after' });
    for (;;) {
      const turn = await one.stage.turn();
      turn.finish();
      if (turn.prompt === 'after') {
        break;
      }
    }
    expect(await one.ended(after)).toMatchObject({ status: 'completed' });
  });

  it('T01 progress after a cancel is refused, acknowledged progress is on the tape, and final stays last', async () => {
    const written: unknown[] = [];
    const refused: unknown[] = [];
    const done = Promise.withResolvers<void>();
    const chatty: Runner = async ({ hold, task, signal }) => {
      const report = async (data: number): Promise<void> => {
        try {
          await hold.progress(data);
          written.push(data);
        } catch (error) {
          refused.push(error instanceof Evicted ? data : error);
        }
      };
      const writes = [];
      for (let at = 0; at < 50; at += 1) {
        // Neither is awaited: both are in flight, and the cancel stands somewhere between the reports.
        writes.push(report(at));
        if (at === 25) {
          void one.box.cancel(task);
        }
        await Promise.resolve();
      }
      expect(signal.aborted).toBe(false);
      await Promise.all(writes);
      // A store that answers late takes its time for the cancel as well.
      for (let at = 50; refused.length === 0; at += 1) {
        await report(at);
      }
      done.resolve();
      signal.throwIfAborted();
      return 'never';
    };
    await using one = await openBox({ runners: { chatty } });
    const task = await one.send({ prompt: '', runner: 'chatty' });
    expect(await one.ended(task)).toMatchObject({ status: 'cancelled' });
    await done.promise;
    const tape = await one.tape(task);
    expectSound(await one.ended(task), tape);
    const all = [...written, ...refused];
    expect(all).toEqual(all.map((_, at) => at));
    expect(refused.length).toBeGreaterThan(0);
    expect(tape.filter(({ type }) => type === 'progress').map(({ data }) => data)).toEqual(
      written.map((data) => ({ data })),
    );
    expect(written.length).toBeGreaterThan(0);
  });

  it('a hold that is disposed is given to the next waiter at once, and its runner works on without turns', async () => {
    const released = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const codes: unknown[] = [];
    const short: Runner = async ({ hold, signal }) => {
      {
        await using own = hold;
        await own.turn('first');
      }
      released.resolve();
      codes.push(await hold.turn('late').catch((error: unknown) => (error as { readonly code: string }).code));
      await goOn.promise;
      await hold.progress({ afterwards: true });
      return { aborted: signal.aborted };
    };
    await using one = await openBox({ runners: { short } });
    const task = await one.send({ runner: 'short' });
    const first = await one.stage.turn();
    const next = await one.send({ prompt: 'next' });
    first.finish();
    await released.promise;
    const turn = await one.stage.turn();
    expect(turn.prompt).toBe('next');
    turn.finish();
    expect(await one.ended(next)).toMatchObject({ status: 'completed' });
    expect(await one.box.task(task)).toMatchObject({ status: 'running', row: { stage: 'released' } });
    expect((await one.box.explain(task))?.summary).toBe(
      'The runner of the task has given the session back, and works on without it.',
    );
    const other = await one.send({ prompt: 'other' });
    (await one.stage.turn()).finish();
    expect(await one.ended(other)).toMatchObject({ status: 'completed' });
    goOn.resolve();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { result: { aborted: false } } });
    expect(codes).toEqual(['hold_released']);
    expect(await one.types(task)).toContain('progress');
    expectSound(await one.ended(task), await one.tape(task));
  });

  it('a hold that is disposed during a turn has the turn interrupted, and is given on after it', async () => {
    const goOn = Promise.withResolvers<void>();
    const codes: unknown[] = [];
    const hasty: Runner = async ({ hold, session }) => {
      const left = hold.turn('left').catch((error: unknown) => (error as { readonly code: string }).code);
      await started.promise;
      await hold[Symbol.asyncDispose]();
      await hold[Symbol.asyncDispose]();
      codes.push(await left);
      await goOn.promise;
      return session;
    };
    const started = Promise.withResolvers<void>();
    await using one = await openBox({ runners: { hasty } });
    const task = await one.send({ runner: 'hasty' });
    const turn = await one.stage.turn();
    await one.event(task, 'turn-started');
    const next = await one.send({ prompt: 'next' });
    started.resolve();
    await turn.interrupted;
    const following = await one.stage.turn();
    expect(following.prompt).toBe('next');
    following.finish();
    expect(await one.ended(next)).toMatchObject({ status: 'completed' });
    goOn.resolve();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { result: 'test:one' } });
    expect(codes).toEqual(['hold_released']);
    const requested = (await one.tape(task)).find((event) => event.type === 'interrupt-requested');
    expect(requested).toMatchObject({ data: { why: 'release', by: { kind: 'runner' } } });
    expectSound(await one.ended(task), await one.tape(task));
  });

  it('a task whose runner has released the session can be cancelled, stopped, and begins again after a restart', async () => {
    const aborted: unknown[] = [];
    const forever: Runner = async ({ hold, signal, attempt }) => {
      await hold[Symbol.asyncDispose]();
      if (attempt === 1) {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        aborted.push(attempt);
      }
      return attempt;
    };
    const first = await openBox({ runners: { forever } });
    const release = async (): Promise<string> => {
      const task = await first.background({ runner: 'forever' });
      await first.event(task, 'preempted');
      return task;
    };
    const cancelled = await release();
    await first.box.cancel(cancelled);
    expect(await first.ended(cancelled)).toMatchObject({ status: 'cancelled' });
    const stopped = await release();
    expect(await first.box.stop('test:one', 'queue')).toMatchObject({ receipts: [{ task: stopped }] });
    expect(await first.ended(stopped)).toMatchObject({ status: 'cancelled' });
    expect(aborted).toEqual([1, 1]);
    const kept = await release();
    await using again = await first.reopen();
    expect(await again.ended(kept)).toMatchObject({ status: 'completed', final: { result: 2 } });
  });

  it('a runner that is not registered is refused before anything is stored', async () => {
    await using one = await openBox();
    expect(await one.box.submit({ session: 's', prompt: '', runner: 'nobody' })).toMatchObject({
      kind: 'refused',
      code: 'unknown_runner',
    });
    expect((await one.box.tasks({}, null, 10)).items).toEqual([]);
  });
});
