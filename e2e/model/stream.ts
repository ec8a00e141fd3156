/** Plays one answer, streamed or whole, and logs how it ended. */
import type { Call, Stop } from './dialects/dialect.ts';
import type { Play } from './directives.ts';
import type { Exchange } from './exchange.ts';

type Playable = Exclude<Play, { kind: 'status' | 'flaky' }>;

interface Script {
  readonly thoughts: readonly string[];
  readonly pieces: readonly string[];
  readonly gapMs: number;
  readonly call: Call | null;
  readonly stop: Stop;
}

const pieceLength = 12;

const piecesOf = (text: string): readonly string[] => text.match(new RegExp(`.{1,${pieceLength}}`, 'gsu')) ?? [''];

function scriptOf(play: Playable): Script {
  const said = { thoughts: [], gapMs: 0, call: null, stop: 'end' } as const;
  switch (play.kind) {
    case 'text':
      return { ...said, pieces: piecesOf(play.text) };
    case 'think':
      return { ...said, thoughts: piecesOf(play.thought), pieces: piecesOf(play.text) };
    case 'slow':
      return { ...said, pieces: Array.from({ length: play.pieces }, (_, at) => `c${at} `), gapMs: play.gapMs };
    case 'tool':
      return { ...said, pieces: [], call: { name: play.name, input: play.input }, stop: 'tool' };
    case 'refusal':
      return { ...said, pieces: [''], stop: 'refusal' };
    case 'hang':
    case 'hang0':
    case 'drop':
    case 'midError':
      return { ...said, pieces: ['partial '] };
  }
}

export function stream(exchange: Exchange, play: Playable): void {
  const { response, asked, log } = exchange;
  const script = scriptOf(play);
  const state = { pieces: 0, over: false };
  const end = (how: 'answered' | 'failed' | 'dropped'): void => {
    state.over = true;
    log({ type: 'ended', how, pieces: state.pieces });
  };
  response.once('close', () => {
    if (!state.over) {
      log({ type: 'closed', pieces: state.pieces });
    }
  });
  if (play.kind === 'hang0' || (play.kind === 'hang' && !asked.stream)) {
    log({ type: 'silent' });
    return;
  }
  if (!asked.stream) {
    whole(exchange, script, end);
    return;
  }
  const after = (said: string): void => {
    if (play.kind === 'hang') {
      log({ type: 'silent' });
    } else if (play.kind === 'drop') {
      end('dropped');
      response.destroy();
    } else {
      if (play.kind === 'midError') {
        writer.fail(play.error);
      } else {
        writer.end(said, script.stop);
      }
      end(play.kind === 'midError' ? 'failed' : 'answered');
      response.end();
    }
  };
  const writer = exchange.dialect.writer({ asked, write: (text) => void response.write(text), id: exchange.id });
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'request-id': exchange.id('req_'),
  });
  response.flushHeaders();
  writer.begin();
  log({ type: 'began' });
  for (const thought of script.thoughts) {
    writer.thinking(thought);
  }
  if (script.call !== null) {
    writer.call(script.call);
  }
  saySlowly(
    exchange,
    script,
    (piece) => {
      state.pieces += 1;
      writer.text(piece);
    },
    after,
  );
}

/** The pieces with their gaps, as long as somebody listens; then `after`, with all of them together. */
function saySlowly(
  { response }: Exchange,
  { pieces, gapMs }: Script,
  say: (piece: string) => void,
  after: (said: string) => void,
): void {
  let timer: NodeJS.Timeout | undefined;
  const from = (at: number): void => {
    if (response.destroyed) {
      return;
    }
    const piece = pieces[at];
    if (piece === undefined) {
      after(pieces.join(''));
      return;
    }
    say(piece);
    if (gapMs > 0) {
      timer = setTimeout(from, gapMs, at + 1);
    } else {
      from(at + 1);
    }
  };
  response.once('close', () => clearTimeout(timer));
  from(0);
}

function whole({ dialect, asked, response, id }: Exchange, script: Script, end: (how: 'answered') => void): void {
  const { pieces, call, stop, gapMs } = script;
  const timer = setTimeout(() => {
    end('answered');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(dialect.whole({ asked, id }, pieces.join(''), call, stop)));
  }, gapMs * pieces.length);
  response.once('close', () => clearTimeout(timer));
}
