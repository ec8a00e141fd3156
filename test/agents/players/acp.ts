/**
 * An ACP agent that misbehaves on demand, in the manner of any of the programs that have a profile:
 *
 *     acp.ts --profile NAME [--state FOLDER] [--no-ready] [--version N] [--login | --login-never] [--no-load] [--refuse CODE:WORDS]
 *
 * What it hears is read and checked by the protocol's own SDK, so a driver that writes anything else is found out. What a
 * turn does is said in its prompt, by directives such as `[[forever]]`; the table is `acts`.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import * as acp from '@agentclientprotocol/sdk';
import type { ProfileName } from '../../../src/agents/acp/profiles/index.ts';
import { Stdout } from '../../../src/agents/scripted/program/stdout.ts';
import { acts } from './acp-acts.ts';
import { directivesIn, endOnSigterm, faults, refuses } from './directives.ts';
import { dialects } from './acp-dialects.ts';
import { Play } from './acp-play.ts';

const { values: flags } = parseArgs({
  strict: false,
  options: {
    profile: { type: 'string', default: 'acp' },
    state: { type: 'string' },
    'no-ready': { type: 'boolean', default: false },
    version: { type: 'string', default: '1' },
    login: { type: 'boolean', default: false },
    'login-never': { type: 'boolean', default: false },
    'no-load': { type: 'boolean', default: false },
    refuse: { type: 'string' },
  },
});
const dialect = dialects[flags.profile as ProfileName];
const voice = new Stdout();
const say = (message: object): void => voice.raw(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

interface Past {
  readonly prompts: string[];
  model: string;
}

class Session {
  readonly id: string;
  readonly past: Past;
  play: Play | null = null;

  constructor(id: string, past: Past) {
    this.id = id;
    this.past = past;
  }

  static file(id: string): string | null {
    return typeof flags.state === 'string' && /^[\w-]+$/.test(id) ? join(flags.state, `${id}.json`) : null;
  }

  save(): void {
    const file = Session.file(this.id);
    if (file === null || typeof flags.state !== 'string') {
      return;
    }
    mkdirSync(flags.state, { recursive: true });
    writeFileSync(file, JSON.stringify(this.past));
  }

  opened(): object {
    const { model } = this.past;
    const option = { id: 'model', name: 'Model', category: 'model', type: 'select', currentValue: model };
    const options = [
      { value: 'usual', name: 'Usual' },
      { value: 'other', name: 'Other' },
    ];
    const chosen =
      dialect.models === 'option'
        ? { configOptions: [{ ...option, options }] }
        : dialect.models === 'method'
          ? { models: { currentModelId: model, availableModels: [] } }
          : {};
    return { sessionId: this.id, ...chosen };
  }
}

const sessions = new Map<string, Session>();
let loggedIn = !flags.login && !flags['login-never'];
let turns = 0;

function begin(id: string, past: Past): Session {
  const session = new Session(id, past);
  sessions.set(id, session);
  session.save();
  return session;
}

function known(id: string): Session {
  const session = sessions.get(id);
  if (session === undefined) {
    throw acp.RequestError.sessionNotFound(id);
  }
  return session;
}

function allowed(): void {
  if (!loggedIn) {
    throw acp.RequestError.authRequired();
  }
  if (typeof flags.refuse !== 'string') {
    return;
  }
  const [code = '', message = ''] = flags.refuse.split(/:(.*)/s, 2);
  throw new acp.RequestError(Number(code), message);
}

function takeUp(id: string, replays: boolean): Session {
  allowed();
  const file = Session.file(id);
  if (file === null || !existsSync(file)) {
    throw acp.RequestError.sessionNotFound(id);
  }
  const session = begin(id, JSON.parse(readFileSync(file, 'utf8')) as Past);
  for (const prompt of replays ? session.past.prompts : []) {
    for (const sessionUpdate of ['user_message_chunk', 'agent_message_chunk']) {
      const update = { sessionUpdate, content: { type: 'text', text: prompt } };
      say({ method: 'session/update', params: { sessionId: id, update } });
    }
  }
  return session;
}

/** Answered by hand, with members that the SDK does not know. */
function answered(id: acp.JsonRpcId, result: object): Promise<never> {
  say({ id, result });
  return new Promise(() => {});
}

const fields = (value: unknown): { readonly [name: string]: unknown } => value as { readonly [name: string]: unknown };

const app = acp
  .agent({ name: 'player' })
  .onRequest('session/prompt', ({ params, client, requestId }) => {
    const session = known(params.sessionId);
    const text = params.prompt.map((block) => (block.type === 'text' ? block.text : '')).join('');
    // A second prompt in mid-turn is what a driver must never write: nobody knows what an agent makes of it.
    if (session.play !== null && !session.play.over) {
      process.exit(70);
    }
    if (dialect.runs(text)) {
      session.past.prompts.length = 0;
    } else {
      session.past.prompts.push(dialect.mentions(text) ? 'a file, in place of its mention' : text);
    }
    session.save();
    turns += 1;
    const play = new Play({
      voice,
      say,
      dialect,
      client,
      session: params.sessionId,
      turn: turns,
      id: requestId,
      text,
      past: session.past,
    });
    session.play = play;
    void play.run({ ...acts, ...faults(voice) }, directivesIn(text)).then(() => {
      session.play = null;
    });
    return new Promise<never>(() => {});
  })
  .onNotification('session/cancel', ({ params }) => known(params.sessionId).play?.cancel())
  .onRequest('initialize', ({ params, requestId }) => {
    if (flags['no-ready']) {
      return new Promise<never>(() => {});
    }
    if (params.protocolVersion !== 1) {
      throw acp.RequestError.unsupportedProtocolVersion(params.protocolVersion, [1]);
    }
    const hello = flags['no-load'] ? {} : dialect.hello;
    const said = { protocolVersion: Number(flags.version), authMethods: [], ...hello };
    return flags.version === '1' ? said : answered(requestId, said);
  })
  .onRequest('authenticate', ({ params }) => {
    if (params.methodId !== 'token' || flags['login-never']) {
      throw acp.RequestError.authRequired();
    }
    loggedIn = true;
    return {};
  })
  .onRequest('session/new', ({ requestId }) => {
    allowed();
    return answered(requestId, begin(randomUUID(), { prompts: [], model: 'usual' }).opened());
  })
  .onRequest('session/load', ({ params, requestId }) => answered(requestId, takeUp(params.sessionId, true).opened()))
  .onRequest('session/resume', ({ params, requestId }) => answered(requestId, takeUp(params.sessionId, false).opened()))
  .onRequest('session/set_config_option', ({ params, requestId }) => {
    const session = known(params.sessionId);
    const { value } = params;
    if (dialect.models !== 'option' || (value !== 'usual' && value !== 'other')) {
      throw acp.RequestError.invalidParams();
    }
    session.past.model = value;
    return answered(requestId, session.opened());
  })
  .onRequest('session/set_model', fields, ({ params, requestId }) => {
    if (dialect.models !== 'method') {
      throw acp.RequestError.methodNotFound('session/set_model');
    }
    known(String(params['sessionId'])).past.model = String(params['modelId']);
    return answered(requestId, {});
  })
  .onRequest('_session/steering', fields, ({ params, requestId }) => {
    const play = known(String(params['sessionId'])).play;
    if (JSON.stringify(params['_meta']) !== '{"steering":{"idleBehavior":"promptRequired"}}') {
      throw acp.RequestError.invalidParams();
    }
    return answered(requestId, { outcome: play?.steer() === true ? 'injected' : 'promptRequired' });
  });

const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
const { readable } = acp.ndJsonStream(Writable.toWeb(process.stdout), input);
const writable = new WritableStream<acp.AnyMessage>({ write: (message) => voice.raw(`${JSON.stringify(message)}\n`) });
const connection = app.connect({ readable, writable });

endOnSigterm();
await connection.closed;
if (!refuses.eof) {
  process.exit(0);
}
setInterval(() => {}, 60_000);
