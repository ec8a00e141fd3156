/** The table of rules: what each built-in one makes of a delivery, and how configuration changes it. */
import { describe, expect, test } from 'vitest';
import { GithubConfigSchema, type GithubConfigInput, type GithubRule } from '../../src/gateways/github/config.ts';
import { githubHook } from '../../src/gateways/github/hook.ts';
import { recordedDeliveries } from '../../src/gateways/github/recorded/index.ts';
import { eventReasons } from '../../src/gateways/github/ignored.ts';
import { builtinRules } from '../../src/gateways/github/rules.ts';
import { validate } from '../../src/protocol/validate.ts';
import type { SubmitRequest } from '../../src/runtime/api.ts';
import { admissions, config, example, post } from '../support/deliveries.ts';

interface Payload {
  [name: string]: unknown;
}

/** Posts one delivery and gives the task it made, or the reason. */
async function deliver(
  event: string,
  payload: Payload,
  more: Partial<GithubConfigInput> = {},
): Promise<SubmitRequest | string> {
  const { box, accepted } = admissions();
  const answer = await post(githubHook({ box, config: config(more) }), { event, delivery: 'd-1', payload });
  return accepted[0] ?? String(answer.body['reason'] ?? answer.body['detail']);
}

const inside = (payload: Payload, name: string): Payload => payload[name] as Payload;

describe('built-in rules', () => {
  test('a comment becomes an interactive task, which is answered in its conversation', async () => {
    expect(await deliver('issue_comment', example('issue_comment', 'created'))).toMatchObject({
      session: 'github:Codertocat/Hello-World',
      source: 'github:Codertocat/Hello-World#1',
      rights: 'trusted',
      author: 'Codertocat',
      labels: {
        delivery: 'd-1',
        event: 'issue_comment.created',
        rule: 'comment',
        number: '1',
        reply: 'repos/Codertocat/Hello-World/issues/1/comments',
      },
    });
  });

  test.each([
    ['OWNER', 'trusted'],
    ['MEMBER', 'trusted'],
    ['COLLABORATOR', 'trusted'],
    ['CONTRIBUTOR', 'untrusted'],
    ['FIRST_TIME_CONTRIBUTOR', 'untrusted'],
    ['NONE', 'untrusted'],
    ['owner', 'untrusted'],
    [undefined, 'untrusted'],
    [{ toString: 'OWNER' }, 'untrusted'],
  ])('association %s has the rights class %s', async (association, rights) => {
    const payload = example('issue_comment', 'created');
    inside(payload, 'comment')['author_association'] = association;
    expect(await deliver('issue_comment', payload, { untrusted: 'read-only' })).toMatchObject({ rights });
    const isStranger = rights === 'untrusted' && typeof association === 'string';
    const byDefault = await deliver('issue_comment', payload);
    expect(byDefault).toEqual(isStranger ? 'untrusted_author' : expect.objectContaining({ rights }));
    expect(await deliver('issue_comment', payload, { untrusted: 'as-trusted' })).toMatchObject({ rights: 'trusted' });
    const literal = { rules: [{ like: 'comment' as const, rights: 'guests' }] };
    expect(await deliver('issue_comment', payload, literal)).toMatchObject({ rights: 'guests' });
  });

  test('what only members can request is trusted whatever its text, and so is a failure on a branch that is not that of a fork', async () => {
    const issue = example('issues', 'labeled');
    inside(issue, 'issue')['author_association'] = 'NONE';
    inside(issue, 'label')['name'] = 'signalbox';
    expect(await deliver('issues', issue)).toMatchObject({ rights: 'trusted' });
    const run = example('workflow_run', 'completed');
    const { id } = inside(run, 'repository');
    for (const [head, outcome] of [
      [id, expect.objectContaining({ rights: 'trusted' })],
      [Number(id) + 1, 'untrusted_author'],
      [null, 'untrusted_author'],
    ] as const) {
      Object.assign(inside(run, 'workflow_run'), { conclusion: 'failure', head_repository: { id: head } });
      expect(await deliver('workflow_run', run)).toEqual(outcome);
    }
    const check = example('check_run', 'completed');
    inside(inside(check, 'check_run'), 'app')['slug'] = 'another-ci';
    inside(inside(check, 'check_run'), 'check_suite')['head_branch'] = null;
    expect(await deliver('check_run', check)).toBe('untrusted_author');
    expect(await deliver('check_run', check, { untrusted: 'read-only' })).toMatchObject({ rights: 'untrusted' });
  });

  test('G04: a review and its inline comments become one task for each text, in one merge group, and none for an empty review', async () => {
    const { box, accepted } = admissions();
    const handler = githubHook({ box, config: config() });
    const review = example('pull_request_review', 'submitted');
    const first = example('pull_request_review_comment', 'created');
    const second = structuredClone(first);
    const id = inside(review, 'review')['id'];
    inside(first, 'comment')['pull_request_review_id'] = id;
    Object.assign(inside(second, 'comment'), { id: 5, body: 'And here?', pull_request_review_id: id });
    const empty = await post(handler, { event: 'pull_request_review', delivery: 'r', payload: review });
    expect(empty.body).toMatchObject({ status: 'ignored', reason: 'nothing_to_answer' });
    await post(handler, { event: 'pull_request_review_comment', delivery: 'c-1', payload: first });
    await post(handler, { event: 'pull_request_review_comment', delivery: 'c-2', payload: second });
    inside(review, 'review')['body'] = 'See the comments.';
    await post(handler, { event: 'pull_request_review', delivery: 'r-2', payload: review });
    expect(accepted.map(({ labels }) => labels?.['reply'])).toEqual([
      'repos/Codertocat/Hello-World/pulls/2/comments/284312630/replies',
      'repos/Codertocat/Hello-World/pulls/2/comments/5/replies',
      'repos/Codertocat/Hello-World/issues/2/comments',
    ]);
    expect(new Set(accepted.map(({ source, rights, whenBusy }) => `${source} ${rights} ${whenBusy}`))).toEqual(
      new Set([`github:Codertocat/Hello-World#2/review-${String(id)} trusted collect`]),
    );
    expect(accepted.map(({ prompt }) => prompt.includes('See the comments.'))).toEqual([false, false, true]);
  });

  test('an answer within a thread is sent to the first comment of the thread', async () => {
    const payload = example('pull_request_review_comment', 'created');
    inside(payload, 'comment')['in_reply_to_id'] = 17;
    expect(await deliver('pull_request_review_comment', payload)).toMatchObject({
      labels: { reply: 'repos/Codertocat/Hello-World/pulls/2/comments/17/replies' },
    });
  });

  test('a failed check becomes one task: that of the workflow run where GitHub Actions report both', async () => {
    const check = example('check_run', 'completed');
    expect(await deliver('check_run', check)).toBe('covered_by_workflow_run');
    inside(inside(check, 'check_run'), 'app')['slug'] = 'another-ci';
    expect(await deliver('check_run', check)).toMatchObject({
      rights: 'trusted',
      author: 'another-ci',
      labels: { rule: 'check-failed', number: '2', check: 'Octocoders-linter' },
    });
    for (const conclusion of ['cancelled', 'skipped', 'neutral', 'stale', 'action_required']) {
      inside(check, 'check_run')['conclusion'] = conclusion;
      expect(await deliver('check_run', check)).toBe('conclusion_not_failed');
    }
    const run = example('workflow_run', 'completed');
    expect(await deliver('workflow_run', run)).toBe('conclusion_not_failed');
    const { id } = inside(run, 'repository');
    for (const conclusion of ['failure', 'timed_out', 'startup_failure']) {
      Object.assign(inside(run, 'workflow_run'), { conclusion, head_repository: { id } });
      expect(await deliver('workflow_run', run)).toMatchObject({ labels: { rule: 'workflow-failed' } });
    }
    for (const conclusion of ['cancelled', 'skipped', 'neutral', 'stale', 'action_required', null, 7]) {
      inside(run, 'workflow_run')['conclusion'] = conclusion;
      expect(await deliver('workflow_run', run)).toBe('conclusion_not_failed');
    }
  });

  test('an issue becomes a task when it is assigned to the bot, whatever the case of its login', async () => {
    const payload = example('issues', 'assigned');
    expect(await deliver('issues', payload)).toBe('assigned_to_another');
    expect(await deliver('issues', payload, { bot: [] })).toBe('bot_not_configured');
    inside(payload, 'assignee')['login'] = 'SignalBox[bot]';
    expect(await deliver('issues', payload)).toMatchObject({ lane: 'background', labels: { rule: 'issue-assigned' } });
  });

  test('an issue becomes a task when it gets the watched label', async () => {
    const payload = example('issues', 'labeled');
    expect(await deliver('issues', payload)).toBe('label_not_watched');
    inside(payload, 'label')['name'] = 'signalbox';
    expect(await deliver('issues', payload)).toMatchObject({ lane: 'background', labels: { rule: 'issue-labelled' } });
  });

  test('a review that is requested of the bot becomes a task', async () => {
    const payload = example('pull_request', 'review_requested');
    expect(await deliver('pull_request', payload)).toBe('review_requested_from_another');
    inside(payload, 'requested_reviewer')['login'] = 'signalbox[bot]';
    expect(await deliver('pull_request', payload)).toMatchObject({ lane: 'background', priority: 10 });
  });

  test('the recorded deliveries of the package become tasks of one session', async () => {
    const tasks = await Promise.all(recordedDeliveries.map(({ event, payload }) => deliver(event, payload as Payload)));
    expect(tasks).toMatchObject([
      { session: 'github:Codertocat/Hello-World', labels: { rule: 'comment' } },
      { session: 'github:Codertocat/Hello-World', labels: { rule: 'review' } },
      { session: 'github:Codertocat/Hello-World', labels: { rule: 'check-failed' } },
    ]);
  });

  test('no event has both a rule and a reason to be ignored', () => {
    expect(Object.values(builtinRules).filter(({ event }) => eventReasons.has(event))).toEqual([]);
  });

  test('an unknown event is ignored, and the answer says so', async () => {
    expect(await deliver('quantum_fork', { action: 'entangled' })).toBe('unknown_event');
  });
});

describe('configured rules', () => {
  const status: GithubRule = {
    on: 'status',
    if: { state: ['failure', 'error'] },
    own: 'take',
    facts: { check: 'context', commit: 'sha', url: 'target_url' },
    prompt: '{check} failed at {commit}: {url}',
    source: 'github:{owner}/{repo}@{commit}',
  };

  test('a rule can accept an event that no built-in rule accepts', async () => {
    const payload = { ...example('status'), state: 'failure' };
    expect(await deliver('status', payload, { rules: [status] })).toMatchObject({
      prompt: expect.stringMatching(/^\S+ failed at [0-9a-f]{40}: /),
      labels: { event: 'status' },
    });
    expect(await deliver('status', { ...payload, state: 'success' }, { rules: [status] })).toBe('condition_not_met');
  });

  test('configured rules come before the built-in ones, in their order', async () => {
    const rules: GithubRule[] = [
      { on: 'issue_comment', if: { 'issue.number': 77 }, prompt: 'first' },
      { on: 'issue_comment.*', prompt: 'second' },
      { on: '*', prompt: 'third' },
    ];
    const payload = example('issue_comment', 'created');
    expect(await deliver('issue_comment', payload, { rules })).toMatchObject({ prompt: 'second' });
    inside(payload, 'issue')['number'] = 77;
    expect(await deliver('issue_comment', payload, { rules })).toMatchObject({ prompt: 'first' });
    expect(await deliver('star', example('star', 'created'), { rules })).toMatchObject({ prompt: 'third' });
  });

  test('a rule with `like` changes a built-in rule and replaces it', async () => {
    const payload = example('issues', 'labeled');
    inside(payload, 'label')['name'] = 'agent';
    const rules: GithubRule[] = [
      {
        like: 'issue-labelled',
        if: { 'label.name': ['agent', 'robot'] },
        lane: 'interactive',
        session: 'issue:{number}',
      },
    ];
    expect(await deliver('issues', payload, { rules })).toMatchObject({
      session: 'issue:1',
      lane: 'interactive',
      labels: { rule: 'issue-labelled' },
    });
    inside(payload, 'label')['name'] = 'signalbox';
    expect(await deliver('issues', payload, { rules })).toBe('label_not_watched');
  });

  test('a rule sets model and permissions as they are written', async () => {
    const permissions = { mode: 'ask', allow: ["Bash(awk '{print}' *)"], deny: [] } as const;
    const rules: GithubRule[] = [{ like: 'comment', model: 'fast-model', permissions, maxAttempts: 1 }];
    const payload = example('issue_comment', 'created');
    Object.assign(payload, { model: 'dear-model', permissions: { mode: 'allow' } });
    expect(await deliver('issue_comment', payload, { rules })).toMatchObject({
      model: 'fast-model',
      permissions,
      maxAttempts: 1,
    });
  });

  test('a rule with `like` keeps the conditions that it does not name', async () => {
    const check = example('check_run', 'completed');
    const rules: GithubRule[] = [{ like: 'check-failed', if: { 'check_run.app.slug': 'github-actions' } }];
    expect(await deliver('check_run', check, { rules })).toMatchObject({ labels: { rule: 'check-failed' } });
    inside(check, 'check_run')['conclusion'] = 'success';
    expect(await deliver('check_run', check, { rules })).toBe('conclusion_not_failed');
  });

  test('a rule excludes deliveries by `unless`, and tests for absent fields by null', async () => {
    const payload = example('issue_comment', 'created');
    const rules: GithubRule[] = [
      { like: 'comment', if: { 'issue.pull_request.url': null }, unless: { 'sender.login': 'Codertocat' } },
    ];
    expect(await deliver('issue_comment', payload, { rules })).toBe('condition_not_met');
    inside(payload, 'sender')['login'] = 'other';
    expect(await deliver('issue_comment', payload, { rules })).toMatchObject({ labels: { rule: 'comment' } });
    inside(payload, 'issue')['pull_request'] = { url: 'https://…' };
    expect(await deliver('issue_comment', payload, { rules })).toBe('condition_not_met');
  });

  test('a path leads to fields of the delivery, and never to members that every object has', async () => {
    const rules: GithubRule[] = [
      {
        like: 'comment',
        facts: { a: 'constructor.name', b: '__proto__.a', c: 'toString.name' },
        prompt: '{a} {b} {c}',
      },
    ];
    expect(await deliver('issue_comment', example('issue_comment', 'created'), { rules })).toMatchObject({
      prompt: '(not given) (not given) (not given)',
    });
  });

  test('a rule with `ignore` gives its reason, and `builtin: false` removes the built-in rules', async () => {
    const payload = example('issue_comment', 'created');
    const { box } = admissions();
    const rules: GithubRule[] = [{ on: 'issue_comment.created', ignore: 'we answer by hand this week' }];
    const answer = await post(githubHook({ box, config: config({ rules }) }), {
      event: 'issue_comment',
      delivery: 'd-1',
      payload,
    });
    expect(answer.body).toMatchObject({
      status: 'ignored',
      reason: 'ignored_by_rule',
      detail: 'we answer by hand this week',
    });
    expect(await deliver('issue_comment', payload, { builtin: false })).toBe('no_rule');
  });

  test('a session key that is not valid is refused at the delivery', async () => {
    const payload = example('issue_comment', 'created');
    const rules: GithubRule[] = [{ like: 'comment', session: '{title}' }];
    for (const title of ['x'.repeat(201), 'a\nb', '..', '\ud800']) {
      inside(payload, 'issue')['title'] = title;
      expect(await deliver('issue_comment', payload, { rules })).toContain('must have 1 to 200 characters');
    }
  });

  test.each<[string, GithubRule, RegExp]>([
    ['a fact that nothing fills', { on: 'push', prompt: 'by {pusher}' }, /rules\[0\]\.prompt.*\{pusher\}/],
    ['an unknown fact in the session', { on: 'push', prompt: 'x', session: '{branch}' }, /rules\[0\]\.session/],
    ['an unknown fact in a label', { on: 'push', prompt: 'x', labels: { a: '{b}' } }, /rules\[0\]\.labels\.a/],
    ['a lone brace', { on: 'push', prompt: 'if (x) { y' }, /lone "\{"/],
    ['a malformed path of a fact', { on: 'push', prompt: 'x', facts: { who: 'pusher..name' } }, /facts\.who/],
    ['a malformed condition', { on: 'push', prompt: 'x', if: { 'a b': 1 } }, /rules\[0\]\.if/],
    ['an unknown required fact', { on: 'push', prompt: 'x', require: ['nope'] }, /require.*nope/],
    ['a rule with neither on nor like', { prompt: 'x' }, /neither/],
    ['a rule without a prompt', { on: 'push' }, /no prompt/],
    ['a mode that needs a runner', { on: 'push', prompt: 'x', mode: 'code' }, /rules\[0\]\.mode: code needs a runner/],
    ['a mode that takes no runner', { like: 'comment', mode: 'external', runner: 'r' }, /external takes no runner/],
    [
      'a model from the payload',
      { like: 'comment', model: '{title}' },
      /rules\[0\]\.model: "\{title\}".*takes nothing/,
    ],
    ['a runner from the payload', { like: 'comment', runner: 'x-{nope}' }, /rules\[0\]\.runner/],
    ['rights from the payload', { like: 'comment', rights: '{association}' }, /rules\[0\]\.rights/],
    [
      'permissions from the payload',
      { like: 'comment', permissions: { mode: 'ask', allow: ['Bash({title})'] } },
      /rules\[0\]\.permissions.*\{title\}/,
    ],
  ])('%s stops the start', (_title, rule, message) => {
    const { box } = admissions();
    expect(() => githubHook({ box, config: config({ rules: [rule] }) })).toThrow(
      expect.objectContaining({
        code: 'bad_config',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/./),
      }),
    );
  });

  test('the schema accepts what the compiler accepts', () => {
    expect(
      validate(
        GithubConfigSchema,
        config({ rules: [status, { like: 'comment', lane: 'background' }], trusted: ['OWNER'] }),
      ),
    ).toMatchObject({ ok: true });
  });
});
