/** What is said of agents that hang, on real daemons with real agents: `supervision/7`. */
import { expect, test } from 'vitest';
import { untilEvent } from '../harness/until-event.ts';
import { HungDaemon } from './daemon.ts';

const limits = { agentQuietMs: 2_000, drainMs: 6_000, silenceMs: 600_000 };
const free = { background: { mode: 'ask', allow: [], deny: [] } };

test.runIf(process.platform === 'linux').for([
  ['agent-silent', '[[silent]]', /says nothing for .* and uses no CPU/],
  ['agent-spinning', '[[block]]', /says nothing for .* and uses all of a core/],
  ['agent-silent', '[[stop]]', /says nothing for/],
] as const)('%s: %s is reported with its threads, and on the session’s tape', async ([what, prompt, words]) => {
  await using box = await new HungDaemon({ block: '', graceMs: 1, limits }).ready();
  const client = await box.client();
  const { task } = await client.submit({ session: 'hung', prompt, lane: 'background' });
  const event = await box.alarm('hung');
  expect(event).toMatchObject({ class: what, summary: expect.stringMatching(words) as string });
  const { report: id } = event;
  const report = await client.hang(id);
  const { pid } = report.snapshot?.sessions[0] ?? { pid: null };
  expect(report).toMatchObject({
    class: what,
    session: 'hung',
    main: { how: null },
    stack: null,
    noStack: 'no stack: the main loop runs',
    threadsOf: pid,
    threads: expect.arrayContaining([expect.objectContaining({ tid: pid })]) as unknown,
    snapshot: { sessions: [{ session: 'hung', task, turn: 1, class: what }] },
  });
  expect((await client.hangs()).items).toMatchObject([{ id, class: what, session: 'hung' }]);
});

test.runIf(process.platform === 'linux').for([
  ['agent-silent', 'a native call', "child.execSync('sleep 600');", /says nothing for [^a]*$/, 'S'],
  ['agent-spinning', 'a loop', 'while (true);', /says nothing for .* and uses all of a core/, 'R'],
] as const)(
  '%s: an agent in a thread that is in %s is reported, and its thread shown',
  async ([what, , agent, words, state]) => {
    await using box = await new HungDaemon({ block: '', graceMs: 1, limits, agent }).ready();
    const client = await box.client();
    await client.submit({ session: 'hung', prompt: 'go', lane: 'background' });
    const event = await box.alarm('hung');
    expect(event).toMatchObject({ class: what, summary: expect.stringMatching(words) as string });
    const { report: id } = event;
    const { threads, threadsOf, main } = await client.hang(id);
    expect([threadsOf, main.how]).toEqual([box.daemon, null]);
    expect(threads.filter(({ name }) => /^w\d+ worker hun/.test(name))).toMatchObject([{ state }]);
  },
);

test.runIf(process.platform === 'linux')(
  'protocol-stuck: an interrupt that is not answered is reported with its age, before the deadline ends the agent',
  async () => {
    await using box = await new HungDaemon({ block: '', graceMs: 1, limits: { drainMs: 6_000 } }).ready();
    const client = await box.client();
    const { task } = await client.submit({
      session: 'hung',
      prompt: '[[deaf]][[ack:never]][[silent]]',
      lane: 'background',
    });
    await untilEvent(client, task, 'turn-started');
    await client.cancel(task);
    const event = await box.alarm('hung');
    expect(event).toMatchObject({
      class: 'protocol-stuck',
      summary: expect.stringMatching(/has not answered interrupt 1 for [3-6]/) as string,
    });
    await untilEvent(client, task, 'final');
  },
);

test.runIf(process.platform === 'linux')('a wait for a person is listed with its age, and is not a hang', async () => {
  await using box = await new HungDaemon({ block: '', graceMs: 1, limits, permissions: free }).ready();
  const client = await box.client();
  const { task } = await client.submit({
    session: 'asks',
    prompt: '[[ask:execute,Bash,make all]]',
    lane: 'background',
  });
  await untilEvent(client, task, 'permission-requested');
  // Another one is silent meanwhile: when it is reported, the one that asks has waited as long.
  await client.submit({ session: 'hung', prompt: '[[silent]]', lane: 'background' });
  await box.alarm('hung');
  const taken = await client.takeHang();
  expect(taken.snapshot?.sessions.find(({ session }) => session === 'asks')).toMatchObject({
    class: 'waiting-for-person',
    permissionRequests: 1,
    task,
  });
  const { items } = await client.hangs();
  expect(items.filter(({ session }) => session === 'asks')).toEqual([]);
});
