/**
 * How each real program says things that the Agent Client Protocol leaves open. Taken from the recordings in
 * `../fixtures/acp-*`; shortened to what matters.
 */
import type { ProfileName } from '../../../src/agents/acp/profiles/index.ts';

export type Failing = '400' | '401' | '429' | '500' | '529' | 'drop';

/** What a dialect needs of the turn that it speaks for. */
export interface Speaker {
  update(update: object): void;
  /** Ends the turn with a result, or with an error. */
  result(result: object): void;
  error(error: object): void;
}

export interface Dialect {
  /** Members of the answer to `initialize`, beside the version. */
  readonly hello: object;
  /** How a model is chosen; null: not by protocol. */
  readonly models: 'option' | 'method' | null;
  /** Members of a piece of the answer. */
  readonly piece: object;
  /** Members of the response that ends turn number `turn` of this process, each turn being 100 tokens in and 20 out. */
  readonly spent: (turn: number) => object;
  readonly toolCall: (id: string, command: string) => object;
  /** What follows a denied permission. */
  readonly denied: 'goes on' | 'ends' | 'cancels';
  readonly fail: (speaker: Speaker, how: Failing) => void;
  /** Whether the program runs a prompt as a command of its own, instead of giving it to the model. */
  readonly runs: (text: string) => boolean;
  /** Whether it reads a file into a prompt that mentions it. */
  readonly mentions: (text: string) => boolean;
  /** What is said while a request is tried again. */
  readonly retry: (speaker: Speaker) => void;
}

const words: { readonly [F in Failing]: string } = {
  '400': 'fake invalid_request_error',
  '401': 'fake authentication_error',
  '429': 'fake rate_limit_error',
  '500': 'fake api_error',
  '529': 'fake overloaded_error',
  drop: '',
};

const chunk = (text: string, more: object = {}): object => ({
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text },
  ...more,
});

const usageOf = (turns: number): object => ({
  usage: { inputTokens: 100 * turns, outputTokens: 20 * turns, totalTokens: 120 * turns },
});

const silent = (): void => {};
const load = { loadSession: true };

const mentioned = /(?:^|\s)@[\w./~]/;

const plain: Dialect = {
  hello: { agentCapabilities: { ...load, sessionCapabilities: {} } },
  models: 'option',
  piece: {},
  spent: () => usageOf(1),
  toolCall: (id, command) => ({
    toolCallId: id,
    kind: 'execute',
    title: command,
    name: 'shell',
    rawInput: { command },
  }),
  denied: 'goes on',
  fail: (speaker, how) => {
    if (how === '401') {
      speaker.error({ code: -32_000, message: 'Authentication required' });
    } else if (how === 'drop') {
      speaker.error({ code: -32_603, message: 'fetch failed: ECONNRESET' });
    } else {
      speaker.error({ code: -32_603, message: 'Internal error', data: { details: `HTTP ${how}: ${words[how]}` } });
    }
  },
  runs: (text) => text.trim().startsWith('/'),
  mentions: (text) => mentioned.test(text),
  retry: silent,
};

const gemini: Dialect = {
  ...plain,
  hello: { agentCapabilities: load, authMethods: [{ id: 'gemini-api-key', name: 'Gemini API key' }] },
  models: 'method',
  runs: (text) => /^[/$]/.test(text.trim()),
  mentions: () => false,
  spent: () => ({ _meta: { quota: { token_count: { input_tokens: 100, output_tokens: 20 } } } }),
  toolCall: (id, command) => ({
    toolCallId: `run_shell_command__run_shell_command_${id}`,
    status: 'pending',
    title: command,
    content: [{ type: 'content', content: { type: 'text', text: '[current working directory /session]' } }],
    locations: [],
    kind: 'execute',
  }),
  fail(speaker, how) {
    if (how === 'drop') {
      speaker.error({ code: 500, message: 'exception TypeError: fetch failed sending request' });
      return;
    }
    const code = Number(how);
    speaker.error({ code, message: JSON.stringify({ error: { code, message: words[how], status: how } }) });
  },
};

const copilotErrors: { readonly [F in Failing]: string } = {
  '400': `Error: 400 ${words['400']}`,
  '401':
    'Error: Authentication failed with provider at http://model.invalid (HTTP 401).\n  Check your COPILOT_PROVIDER_API_KEY, COPILOT_PROVIDER_API_KEY_COMMAND, or COPILOT_PROVIDER_BEARER_TOKEN.',
  '429': `Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 5.41 seconds) Last error: 429 ${words['429']}`,
  '500': `Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 15.07 seconds) Last error: 500 ${words['500']}`,
  '529': `Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 15.43 seconds) Last error: 529 ${words['529']}`,
  drop: 'Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 5.00 seconds) Last error: Failed native model HTTP request: error sending request for url (http://model.invalid/chat/completions): client error (SendRequest): connection closed before message completed',
};

const context = { sessionUpdate: 'usage_update', used: 8_829, size: 128_000 };

const copilot: Dialect = {
  ...plain,
  hello: { agentCapabilities: { ...load, sessionCapabilities: { close: {}, list: {} } } },
  models: null,
  mentions: () => false,
  // The sum of its process.
  spent: (turn) => usageOf(turn),
  toolCall: (id, command) => ({
    toolCallId: id,
    title: 'as asked',
    kind: 'execute',
    status: 'pending',
    rawInput: { command, commands: [command] },
  }),
  denied: 'ends',
  fail(speaker, how) {
    speaker.update(context);
    speaker.update(chunk(copilotErrors[how]));
    speaker.result({ stopReason: 'end_turn' });
  },
  retry(speaker) {
    speaker.update(context);
    speaker.update(chunk('Info: Request failed due to a transient API error. Retrying...'));
    speaker.update(context);
  },
};

const opencode: Dialect = {
  ...plain,
  hello: { agentCapabilities: { ...load, sessionCapabilities: { close: {}, fork: {}, list: {}, resume: {} } } },
  toolCall: (id, command) => ({
    toolCallId: id,
    title: command,
    kind: 'execute',
    status: 'pending',
    locations: [],
    rawInput: { command },
  }),
  fail(speaker, how) {
    const closed = 'Cannot connect to API: The socket connection was closed unexpectedly.';
    const message = `Internal error: ${how === 'drop' ? closed : words[how]}`;
    speaker.error({ code: -32_603, message, data: { service: 'session', errorName: 'APIError' } });
  },
};

const claudeErrors: { readonly [F in Failing]: readonly [kind: string, text: string] } = {
  '400': ['unknown', `API Error: 400 ${words['400']}`],
  '401': ['authentication_failed', `Failed to authenticate. API Error: 401 ${words['401']}`],
  '429': ['rate_limit', `API Error: Request rejected (429) · ${words['429']}`],
  '500': ['server_error', `API Error: 500 ${words['500']}. This is a server-side issue, usually temporary`],
  '529': ['server_error', `API Error: 529 ${words['529']}. This is a server-side issue, usually temporary`],
  drop: ['server_error', 'API Error: Connection dropped (ECONNRESET). Check the gateway set in ANTHROPIC_BASE_URL'],
};

const claude: Dialect = {
  ...plain,
  hello: {
    agentCapabilities: { ...load, sessionCapabilities: { close: {}, resume: {} } },
    _meta: { steering: { supported: true } },
  },
  piece: { messageId: 'msg_829d0e30019e4e4da4e45a4c' },
  mentions: (text) => process.env['CLAUDE_CODE_DISABLE_FILE_MENTIONS'] !== '1' && mentioned.test(text),
  toolCall: (id, command) => ({
    toolCallId: id,
    name: 'Bash',
    status: 'pending',
    rawInput: { command },
    title: command,
    kind: 'execute',
    _meta: { claudeCode: { toolName: 'Bash' } },
  }),
  fail(speaker, how) {
    const [errorKind, text] = claudeErrors[how];
    speaker.update(chunk(text, { messageId: 'c75980b3-64e7-422c-9dfd-6e5ea6431d93' }));
    if (how === '401') {
      speaker.error({ code: -32_000, message: 'Authentication required' });
    } else {
      speaker.error({ code: -32_603, message: `Internal error: ${text}`, data: { errorKind } });
    }
  },
};

const codexSays = (codex: object): object => ({ sessionUpdate: 'session_info_update', _meta: { codex } });

const codexRetry = (status: number | null, details: string): object =>
  codexSays({
    error: {
      message: 'Reconnecting... 1/1',
      codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: status } },
      additionalDetails: details,
      willRetry: true,
    },
  });

const codex: Dialect = {
  ...plain,
  hello: {
    agentCapabilities: { ...load, sessionCapabilities: { resume: {}, close: {} } },
    _meta: { steering: { supported: true } },
  },
  piece: { messageId: 'msg_c8b1875bf29c4138a91794d1' },
  toolCall: (id, command) => ({
    toolCallId: id,
    kind: 'execute',
    status: 'pending',
    title: command,
    rawInput: { command },
  }),
  denied: 'cancels',
  fail(speaker, how) {
    const dropped = 'stream disconnected before completion: error sending request';
    const status = `unexpected status ${how}: ${words[how]}, url: http://model.invalid/responses`;
    if (how === 'drop') {
      speaker.update(codexRetry(null, dropped));
    } else if (how !== '400' && how !== '401') {
      speaker.update(codexRetry(Number(how), status));
    }
    speaker.update(codexSays({ threadStatus: { type: 'systemError' } }));
    if (how === '401') {
      speaker.error({ code: -32_000, message: 'Authentication required' });
      return;
    }
    const body = { error: { message: words[how], type: 'invalid_request_error', code: 'invalid_request_error' } };
    const text = how === '400' ? JSON.stringify(body) : how === 'drop' ? dropped : status;
    speaker.update(chunk(`${text}\n\n`));
    speaker.result({ stopReason: 'end_turn', usage: null, _meta: { quota: { token_count: null, model_usage: [] } } });
  },
  retry: (speaker) => speaker.update(codexRetry(429, `unexpected status 429: ${words['429']}`)),
};

export const dialects: { readonly [P in ProfileName]: Dialect } = {
  acp: plain,
  gemini,
  copilot,
  opencode,
  'claude-agent-acp': claude,
  'codex-acp': codex,
};
