/** Tasks: submit, look at, change, cancel. */
import { invariant } from '../../core/errors.ts';
import { isTerminal } from '../../store/rules.ts';
import type { StoredTask } from '../../store/port.ts';
import type { Signalbox, SubmitRequest } from '../../runtime/api.ts';
import type { BodyOf, QueryOf } from '../../protocol/index.ts';
import { allows, routes, validate } from '../../protocol/index.ts';
import type { TaskFilter } from '../../store/port.ts';
import { sessionKey, taskId } from '../../core/model/ids.ts';
import type { Where } from '../../core/model/task.ts';
import { submitOfAgent } from '../agent-calls.ts';
import { actorOf } from '../caller.ts';
import type { Handlers } from '../context.ts';
import { taskSource } from '../events/source.ts';
import { absent, okOrRefuse, refuse } from '../context.ts';
import { ProblemError } from '../respond.ts';
import { type Caller, isDaemonToken } from '../tokens.ts';
import { taskSummary, taskView } from '../views.ts';

type TaskOperation =
  | 'submitTask'
  | 'listTasks'
  | 'openTasks'
  | 'getTask'
  | 'editTask'
  | 'moveTask'
  | 'cancelTask'
  | 'explainTask';

/** Throws `unknown_task`. */
export async function taskOf(signalbox: Signalbox, id: string): Promise<StoredTask> {
  const task = await signalbox.task(id);
  if (task === null) {
    throw absent('unknown_task', id);
  }
  return task;
}

const hasEnded = ({ endedAt }: StoredTask): boolean => endedAt !== null;

export const taskHandlers: Handlers<TaskOperation> = {
  async submitTask({ body: asked, request, caller, turn }, { signalbox }) {
    const body = turn === null ? withRightsOf(caller, asked) : submitOfAgent(turn, caller, asked);
    if (body.prompt === '' && (body.runner ?? null) === null && body.mode !== 'external') {
      throw new ProblemError('invalid_request', {
        errors: [{ path: '/body/prompt', message: 'must not be empty without a `runner` or `mode: "external"`' }],
      });
    }
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    const submit: SubmitRequest = key === null ? body : { ...body, idempotencyKey: key };
    const answer = await signalbox.submit(submit);
    if (answer.kind === 'refused') {
      return refuse(answer, body.session);
    }
    const { kind: _, ...receipt } = answer;
    return {
      status: receipt.duplicate ? 200 : 201,
      body: receipt,
      headers: { location: `/v1/tasks/${encodeURIComponent(receipt.task)}` },
    };
  },

  async listTasks({ query }, { signalbox }) {
    const page = await signalbox.tasks(filterOf(query), query.cursor ?? null, query.limit ?? 50);
    return {
      status: 200,
      body: { items: page.items.map((task) => taskSummary(task, signalbox.taskNow(task))), cursor: page.cursor },
    };
  },

  openTasks: async (_call, { signalbox }) => ({ status: 200, body: await signalbox.openTasks() }),

  async getTask({ params, query, response }, { signalbox, streams }) {
    const found = await taskOf(signalbox, params.id);
    const seconds = hasEnded(found) ? 0 : (query.wait ?? 0);
    const look = (): Promise<StoredTask> => taskOf(signalbox, params.id);
    const source = taskSource(signalbox, found);
    const task = await streams.wait(response, source, seconds, look, hasEnded, ({ type }) => type === 'final');
    return { status: 200, body: taskView(task, signalbox.taskNow(task), await signalbox.mergedTasks(task)) };
  },

  async editTask({ params, body, caller }, { signalbox }) {
    return okOrRefuse(await signalbox.edit(params.id, { ...body, by: actorOf(caller, body.by) }), params.id);
  },

  async moveTask({ params, body, caller }, { signalbox }) {
    const { to, before, by, ...change } = body;
    if (to !== undefined && before !== undefined) {
      throw new ProblemError('invalid_request', {
        errors: [{ path: '/body/before', message: 'cannot go together with `to`' }],
      });
    }
    if (to === undefined && before === undefined && change.lane === undefined && change.priority === undefined) {
      throw new ProblemError('invalid_request', {
        detail: 'The request changes nothing: it needs `lane`, `priority`, `to` or `before`.',
      });
    }
    const where: Where | undefined = before === undefined ? to : { before: taskId(before) };
    const answer = await signalbox.move(params.id, {
      ...change,
      by: actorOf(caller, by),
      ...(where === undefined ? {} : { where }),
    });
    return okOrRefuse(answer, params.id);
  },

  async cancelTask({ params, body, caller }, { signalbox }) {
    const answer = await signalbox.cancel(params.id, { ...body, by: actorOf(caller, body.by) });
    if (answer.kind === 'refused') {
      return refuse(answer, params.id);
    }
    if (answer.kind === 'receipt') {
      return { status: 200, body: answer.receipt };
    }
    const { row, status, reason } = answer.task;
    invariant(isTerminal(status) && reason !== null, 'a task that has ended says how');
    return {
      status: 200,
      body: { task: row.id, state: 'already-terminal', status, verdict: status, reason, turn: null },
    };
  },

  async explainTask({ params }, { signalbox }) {
    const explanation = await signalbox.explain(params.id);
    if (explanation === null) {
      throw absent('unknown_task', params.id);
    }
    return { status: 200, body: explanation };
  },
};

/** What a caller with a named token submits has its name as source, whatever it says, and the rights of its lane. Throws `forbidden`. */
function withRightsOf(caller: Caller, body: BodyOf<'submitTask'>): BodyOf<'submitTask'> {
  if (isDaemonToken(caller)) {
    return body;
  }
  const chosen = (['permissions', 'rights'] as const).filter((name) => (body[name] ?? null) !== null);
  if (chosen.length > 0 && !allows(caller.scopes, 'operate')) {
    throw new ProblemError('forbidden', {
      detail: `The token ${JSON.stringify(caller.name)} cannot choose ${chosen.join(' and ')}: this needs operate.`,
    });
  }
  return { ...body, source: `token:${caller.name}` };
}

/** A header that came twice is joined by `, `, and no key has a space: it is refused. */
function idempotencyKeyOf(header: string | readonly string[] | undefined): string | null {
  if (header === undefined) {
    return null;
  }
  const checked = validate(routes.submitTask.headers['idempotency-key'], header);
  if (!checked.ok) {
    throw new ProblemError('bad_idempotency_key');
  }
  return checked.value;
}

/** The schema has checked that there is a `=`. */
function nameAndValue(label: string): readonly [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}

function filterOf({
  session,
  status,
  lane,
  source,
  prefix,
  text,
  label,
  since,
  until,
}: QueryOf<'listTasks'>): TaskFilter {
  return {
    ...(session === undefined ? {} : { session: sessionKey(session) }),
    ...(status === undefined ? {} : { status }),
    ...(lane === undefined ? {} : { lane }),
    ...(source === undefined ? {} : { source }),
    ...(prefix === undefined ? {} : { idPrefix: prefix }),
    ...(text === undefined ? {} : { text }),
    ...(label === undefined ? {} : { labels: Object.fromEntries(label.map(nameAndValue)) }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
