/**
 * Names of the Agent Client Protocol, version 1, and what is written of it. Names and shapes are those of the protocol's own
 * SDK, as types only: the compiler checks what we write against them (see docs/adr/0007). `parse.ts` reads.
 */
import type { Fields } from '../child/json-lines.ts';
import type * as acp from '@agentclientprotocol/sdk';
import type { Models } from './parse.ts';

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
const setModelMethod = 'session/set_model';

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
/** A notification by which either side withdraws its own request. */
export const cancelRequestMethod = '$/cancel_request' satisfies Values<typeof acp.PROTOCOL_METHODS>;

/** Error codes of the protocol, beside those of JSON-RPC. */
export const acpCodes = { authRequired: -32_000, notFound: -32_002, requestCancelled: -32_800 } as const;

export interface ClientAbilities {
  readonly readFiles: boolean;
  readonly writeFiles: boolean;
  readonly terminal: boolean;
}

/** Notices and compactions are asked for, so that an agent does not put them into its answer. */
export const initializeParams = (can: ClientAbilities): acp.InitializeRequest => ({
  protocolVersion,
  clientCapabilities: {
    fs: { readTextFile: can.readFiles, writeTextFile: can.writeFiles },
    terminal: can.terminal,
    session: { notices: {}, compaction: {} },
  },
  clientInfo: { name: 'signalbox', title: 'Signalbox', version: '0' },
});

/** `meta`: what the program takes beside the protocol; null: nothing. */
export const newSessionParams = (cwd: string, meta: Fields | null = null): acp.NewSessionRequest => ({
  cwd,
  mcpServers: [],
  ...(meta === null ? {} : { _meta: meta }),
});

export const oldSessionParams = (
  sessionId: string,
  cwd: string,
  meta: Fields | null = null,
): acp.LoadSessionRequest => ({ sessionId, ...newSessionParams(cwd, meta) });

export const promptParams = (sessionId: string, text: string): acp.PromptRequest => ({
  sessionId,
  prompt: [{ type: 'text', text }],
});

/** `promptRequired`: where no turn runs, the agent must refuse the text, and not begin a turn with it. */
export const steerParams = (sessionId: string, text: string): acp.PromptRequest => ({
  ...promptParams(sessionId, text),
  _meta: { steering: { idleBehavior: 'promptRequired' } },
});

export const cancelParams = (sessionId: string): acp.CancelNotification => ({ sessionId });

export const cancelledAnswer: acp.RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };

export const selectedAnswer = (optionId: string): acp.RequestPermissionResponse => ({
  outcome: { outcome: 'selected', optionId },
});

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
