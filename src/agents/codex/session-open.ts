/**
 * Opens the conversation of a new process: `initialize`, `initialized`, then `thread/resume`, or `thread/start` where there
 * is nothing to resume. A call that does not need the answer of the one before does not wait for it.
 */
import type { AgentStart } from '../port.ts';
import type { JsonRpc, RpcError } from '../child/json-rpc.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { CodexDriverOptions } from './options.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';

export interface Opened {
  readonly thread: string;
  readonly lost: boolean;
  readonly resumed: boolean;
  /** The model that it uses until another is asked for. */
  readonly model: string | null;
  /** It can take turns out of its history. */
  readonly rewinds: boolean;
}

interface Opening {
  readonly rpc: JsonRpc;
  readonly start: AgentStart;
  readonly options: CodexDriverOptions;
  /** Called at most once, before or after `opened`. */
  readonly onDefaultModel: (model: string) => void;
  readonly opened: (opened: Opened) => void;
  /** It will not become ready. */
  readonly failed: (what: string, error: RpcError) => void;
}

/** A conversation without a turn leaves nothing to resume; an id of another program has another form. */
const unknownThread = /no rollout found|invalid session id|thread not found/i;

export function openSession(opening: Opening): void {
  const { rpc, failed } = opening;
  const capabilities = { experimentalApi: true, requestAttestation: false };
  const clientInfo = { name: 'signalbox', title: 'Signalbox', version: '1' };
  rpc.call('initialize', { clientInfo, capabilities }, (outcome) => {
    if (outcome.kind === 'error') {
      failed('initialize', outcome.error);
    }
    if (outcome.kind !== 'result') {
      return;
    }
    rpc.notify('initialized');
    learnDefaultModel(opening);
    const { conversation } = opening.start;
    if (conversation === null) {
      startThread(opening, false);
    } else {
      resumeThread(opening, conversation);
    }
  });
}

function settings({ start, options }: Opening): Fields {
  const cwd = start.folder ?? options.cwd;
  const model = start.model ?? options.model;
  return {
    approvalPolicy: options.approvalPolicy ?? 'untrusted',
    approvalsReviewer: 'user',
    sandbox: options.sandbox ?? 'danger-full-access',
    config: options.config ?? { features: { goals: false } },
    ...(cwd === undefined ? {} : { cwd }),
    ...(model === undefined ? {} : { model }),
  };
}

function startThread(opening: Opening, lost: boolean): void {
  opening.rpc.call('thread/start', settings(opening), (outcome) => {
    if (outcome.kind === 'error') {
      opening.failed('thread/start', outcome.error);
    }
    if (outcome.kind === 'result') {
      readThread(opening, outcome.result, { lost, resumed: false });
    }
  });
}

function resumeThread(opening: Opening, threadId: string): void {
  const params = { ...settings(opening), threadId, excludeTurns: true };
  opening.rpc.call('thread/resume', params, (outcome) => {
    if (outcome.kind === 'result') {
      readThread(opening, outcome.result, { lost: false, resumed: true });
    }
    if (outcome.kind !== 'error') {
      return;
    }
    if (unknownThread.test(outcome.error.message)) {
      startThread(opening, true);
    }
    // Any other failure may be transient: the conversation must not be given up for it.
    else {
      opening.failed('thread/resume', outcome.error);
    }
  });
}

function readThread(opening: Opening, answer: unknown, how: Pick<Opened, 'lost' | 'resumed'>): void {
  const result = isFields(answer) ? answer : {};
  const thread = fieldsAt(result, 'thread');
  const id = textAt(thread, 'id');
  if (id === null) {
    opening.failed('the thread’s id', { code: 0, message: 'the response names no thread' });
    return;
  }
  const model = textAt(result, 'model');
  const { start, options } = opening;
  const isDefault = !how.resumed && start.model === null && options.model === undefined;
  if (isDefault && model !== null) {
    opening.onDefaultModel(model);
  }
  opening.opened({ thread: id, model, rewinds: thread['historyMode'] === 'paginated', ...how });
}

/**
 * A resumed conversation keeps the model of its last turn, and one that is started with a model does not tell its default.
 * Both need to know the way back to it.
 */
function learnDefaultModel({ rpc, start, options, onDefaultModel }: Opening): void {
  if (options.model !== undefined) {
    onDefaultModel(options.model);
    return;
  }
  if (start.conversation === null && start.model === null) {
    return;
  }
  rpc.call('config/read', {}, (outcome) => {
    const config = outcome.kind === 'result' && isFields(outcome.result) ? fieldsAt(outcome.result, 'config') : {};
    const configured = textAt(config, 'model');
    if (configured !== null) {
      onDefaultModel(configured);
      return;
    }
    rpc.call('model/list', {}, (list) => {
      const models = list.kind === 'result' && isFields(list.result) ? listAt(list.result, 'data') : [];
      const named = models.find((one) => one['isDefault'] === true);
      const model = named === undefined ? null : textAt(named, 'model');
      if (model !== null) {
        onDefaultModel(model);
      }
    });
  });
}
