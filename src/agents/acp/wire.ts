/**
 * What is written and read of the Agent Client Protocol, version 1. Names and shapes are those of the protocol's own SDK, as
 * types only: what we write is checked against them by the compiler, what we read is looked at with care (see docs/adr/0007).
 */
import type * as acp from '@agentclientprotocol/sdk';
import { fieldsAt, listAt, numberAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';

type Values<T> = T[keyof T];
type AgentMethod = Values<typeof acp.AGENT_METHODS>;
type ClientMethod = Values<typeof acp.CLIENT_METHODS>;

export const protocolVersion = 1 satisfies typeof acp.PROTOCOL_VERSION;

/** Ours to the agent. The last two are extensions: of two adapters, and of Gemini CLI. */
export const toAgent = {
  initialize: 'initialize',
  authenticate: 'authenticate',
  newSession: 'session/new',
  loadSession: 'session/load',
  resumeSession: 'session/resume',
  prompt: 'session/prompt',
  cancel: 'session/cancel',
  setConfigOption: 'session/set_config_option',
} as const satisfies { readonly [name: string]: AgentMethod };
export const steerMethod = '_session/steering';
export const setModelMethod = 'session/set_model';

/** The agent's to us. */
export const toClient = {
  update: 'session/update',
  permission: 'session/request_permission',
  readFile: 'fs/read_text_file',
  writeFile: 'fs/write_text_file',
  createTerminal: 'terminal/create',
  terminalOutput: 'terminal/output',
  releaseTerminal: 'terminal/release',
  waitForTerminal: 'terminal/wait_for_exit',
  killTerminal: 'terminal/kill',
} as const satisfies { readonly [name: string]: ClientMethod };
/** A notification by which either side takes back a request of its own. */
export const cancelRequestMethod = '$/cancel_request' satisfies Values<typeof acp.PROTOCOL_METHODS>;

/** Error codes of the protocol, beside those of JSON-RPC. */
export const acpCodes = { authRequired: -32_000, notFound: -32_002, requestCancelled: -32_800 } as const;

export interface ClientAbilities {
  readonly readFiles: boolean;
  readonly writeFiles: boolean;
  readonly terminal: boolean;
}

/** Notices and compactions are asked for, so that an agent need not say them as if they were its answer. */
export const initializeParams = (can: ClientAbilities): acp.InitializeRequest => ({
  protocolVersion,
  clientCapabilities: {
    fs: { readTextFile: can.readFiles, writeTextFile: can.writeFiles },
    terminal: can.terminal,
    session: { notices: {}, compaction: {} },
  },
  clientInfo: { name: 'signalbox', title: 'Signalbox', version: '0' },
});

export const newSessionParams = (cwd: string): acp.NewSessionRequest => ({ cwd, mcpServers: [] });

export const oldSessionParams = (sessionId: string, cwd: string): acp.LoadSessionRequest => ({
  sessionId,
  cwd,
  mcpServers: [],
});

export const promptParams = (sessionId: string, text: string): acp.PromptRequest => ({
  sessionId,
  prompt: [{ type: 'text', text }],
});

/** `promptRequired`: with no turn to go into, the text is to be given back, not to be made a turn that nobody asked for. */
export const steerParams = (sessionId: string, text: string): acp.PromptRequest => ({
  ...promptParams(sessionId, text),
  _meta: { steering: { idleBehavior: 'promptRequired' } },
});

export const cancelParams = (sessionId: string): acp.CancelNotification => ({ sessionId });

export const cancelledAnswer: acp.RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };

export const selectedAnswer = (optionId: string): acp.RequestPermissionResponse => ({
  outcome: { outcome: 'selected', optionId },
});

/** What an agent says of itself. */
export interface AgentAbilities {
  readonly version: number | null;
  readonly load: boolean;
  readonly resume: boolean;
  readonly steer: boolean;
}

export function readAbilities(result: unknown): AgentAbilities {
  const said = isFields(result) ? result : {};
  const can = fieldsAt(said, 'agentCapabilities');
  return {
    version: numberAt(said, 'protocolVersion'),
    load: can['loadSession'] === true,
    // Declared by an object, most often an empty one.
    resume: isFields(fieldsAt(can, 'sessionCapabilities')['resume']),
    steer: fieldsAt(fieldsAt(said, '_meta'), 'steering')['supported'] === true,
  };
}

/** How the model of a session is changed, and which one it has. */
export interface Models {
  /** Id of the configuration option; null: by `session/set_model`. */
  readonly option: string | null;
  readonly current: string | null;
}

/** Out of the answer that opens a session; null: it offers no choice. */
export function readModels(result: unknown): Models | null {
  const said = isFields(result) ? result : {};
  const option = modelOption(listAt(said, 'configOptions'));
  if (option !== null) {
    return option;
  }
  const { models } = said;
  if (!isFields(models)) {
    return null;
  }
  return { option: null, current: textAt(models, 'currentModelId') };
}

/** The option of category `model`, else the one that is called so. */
export function modelOption(options: readonly Fields[]): Models | null {
  const selects = options.filter((one) => one['type'] === 'select');
  const found =
    selects.find((one) => one['category'] === 'model') ?? selects.find((one) => one['id'] === 'model') ?? null;
  const id = found === null ? null : textAt(found, 'id');
  return found === null || id === null ? null : { option: id, current: textAt(found, 'currentValue') };
}

/** The call that makes `model` the session's model. */
export function switchCall(
  sessionId: string,
  models: Models,
  model: string,
): { readonly method: string; readonly params: object } {
  if (models.option === null) {
    return { method: setModelMethod, params: { sessionId, modelId: model } };
  }
  const params: acp.SetSessionConfigOptionRequest = { sessionId, configId: models.option, value: model };
  return { method: toAgent.setConfigOption, params };
}

/** Text of a content block; null: it is of another kind. */
export function textOf(block: Fields): string | null {
  return block['type'] === 'text' ? textAt(block, 'text') : null;
}
