/** What the directives in a prompt make the player do, at their place in it; the others colour the whole turn. */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { Failing } from './acp-dialects.ts';
import type { Act, Play } from './acp-play.ts';

const garbage: readonly (string | Uint8Array)[] = [
  Uint8Array.from([0x00, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]),
  'this is no JSON\n[1,2,3]\nnull\n"text"\n{}\n{"method":7}\n{"jsonrpc":"2.0","id":{},"method":"x"}\n',
  '{"id":999,"result":{}}\n{"id":"x","error":{}}\n{"jsonrpc":"2.0","method":"un/heard/of","params":{}}\n',
  '{"method":"session/update"}\n{"method":"session/update","params":{"update":7}}\n\n\r\n',
  '{"method":"session/update","params":{"sessionId":"nobody","update":{"sessionUpdate":"plan"}}}\n',
  '{"method":"$/cancel_request","params":{"requestId":"nobody"}}\n',
];

/** A process that holds our stdout, `detached` outside of our group. */
function stray(play: Play, detached: boolean): void {
  const child = spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'inherit'], detached });
  const call = { toolCallId: 'stray', kind: 'other', title: `pid ${child.pid}`, status: 'in_progress' };
  play.update({ sessionUpdate: 'tool_call', ...call });
}

/** What the client answers to a request of ours, as text. */
async function asked(play: Play, work: () => Promise<unknown>): Promise<void> {
  try {
    play.speak(`${JSON.stringify(await work())} `);
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    play.speak(`refused ${String(code)} ${String(message)} `);
  }
}

export const acts: { readonly [name: string]: Act } = {
  text: (play, text) => play.speak(text),
  stream: (play, argument) => play.stream(argument),
  forever: (play) => play.stream('1000000,2'),
  // Until something is steered into it.
  until(play) {
    return play.steered ? undefined : play.stream('1000000,2');
  },
  silent: (play) => play.wait(600_000),
  empty: () => {},
  tool: (play) => play.work(),
  api: (play, how) => play.fail(how as Failing),
  retried(play) {
    play.options.dialect.retry(play);
    play.speak('well again');
  },
  history: (play) => play.speak(JSON.stringify(play.options.past.prompts)),
  stop(play, stopReason) {
    play.ending = { stopReason };
  },
  thought: (play, text) => play.update({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text } }),
  update: (play, json) => play.update(JSON.parse(json) as object),
  async ask(play, command) {
    const allowed = await play.permission(command === '' ? 'touch made.txt' : command);
    if (allowed === null || play.cancelled) {
      play.cancelled = true;
    } else if (allowed) {
      play.speak('it was allowed ');
    } else if (play.options.dialect.denied === 'cancels') {
      play.ending = { stopReason: 'cancelled' };
    } else if (play.options.dialect.denied === 'ends') {
      play.update({
        sessionUpdate: 'agent_message_chunk',
        content: { type: 'text', text: 'Info: Operation cancelled by user' },
      });
    } else {
      play.speak('it was denied ');
    }
  },
  async 'ask-withdrawn'(play) {
    const { say, session, dialect } = play.options;
    const id = 'mine-1';
    const options = [{ optionId: 'once', kind: 'allow_once', name: 'Yes' }];
    const toolCall = dialect.toolCall('call-1', 'touch made.txt');
    say({ id, method: 'session/request_permission', params: { sessionId: session, toolCall, options } });
    say({ method: '$/cancel_request', params: { requestId: id } });
    await play.stream('2,1');
  },
  async 'ask-cancelling'(play) {
    // A question that comes when the turn is being cancelled already.
    await play.wait(600_000);
    play.speak(`answered ${String(await play.permission('too late'))} `);
  },
  async odd(play) {
    const { client, session } = play.options;
    await asked(play, () => client.request('un/heard/of', { sessionId: session }));
  },
  'other-session': (play) =>
    asked(play, () =>
      play.options.client.request('fs/read_text_file', { sessionId: 'another', path: '/etc/hostname' }),
    ),
  read(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly path: string };
    return asked(play, () => client.request('fs/read_text_file', { sessionId: session, ...params }));
  },
  write(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly path: string; readonly content: string };
    return asked(play, () => client.request('fs/write_text_file', { sessionId: session, ...params }));
  },
  /** Asks for the edit first, as most agents do. */
  async edit(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly path: string; readonly content: string };
    const more = { kind: 'edit', title: 'Edit', name: 'Write', rawInput: {}, locations: [{ path: params.path }] };
    if ((await play.permission('', more)) !== true) {
      return;
    }
    await asked(play, () => client.request('fs/write_text_file', { sessionId: session, ...params }));
  },
  async command(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly command: string; readonly args?: string[] };
    await asked(play, async () => {
      const { terminalId } = await client.request('terminal/create', { sessionId: session, ...params });
      const { exitCode, signal } = await client.request('terminal/wait_for_exit', { sessionId: session, terminalId });
      const said = await client.request('terminal/output', { sessionId: session, terminalId });
      await client.request('terminal/release', { sessionId: session, terminalId });
      return { exitCode, signal, output: said.output, truncated: said.truncated };
    });
  },
  /** Starts a command, kills it, and looks again when it is released. */
  async 'command-kill'(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly command: string; readonly args?: string[] };
    await asked(play, async () => {
      const { terminalId } = await client.request('terminal/create', { sessionId: session, ...params });
      const ended = client.request('terminal/wait_for_exit', { sessionId: session, terminalId });
      await client.request('terminal/kill', { sessionId: session, terminalId });
      return ended;
    });
  },
  async 'command-left'(play, json) {
    const { client, session } = play.options;
    const params = JSON.parse(json) as { readonly command: string; readonly args?: string[] };
    await client.request('terminal/create', { sessionId: session, ...params });
    await play.stream('1000000,2');
  },
  grandchild: (play, where) => stray(play, where === 'own'),
  garbage(play) {
    for (const bytes of garbage) {
      play.options.voice.raw(bytes);
    }
    play.update({ sessionUpdate: 'levitation' });
  },
  half() {
    writeSync(1, '{"jsonrpc":"2.0","id":3,"resu');
    process.exit(1);
  },
};
