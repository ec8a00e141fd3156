/** Directives for what real agents do: they request permission, run tools, and meet failures of their model's API. */
import { actionKinds, type ActionKind } from '../../../core/model/permission.ts';
import { type FailureClass, classOfStatus } from '../../failures.ts';
import type { WireFailure } from '../../process/wire.ts';
import { numbers } from './directives.ts';
import type { Turn } from './turn.ts';

const tools: { readonly [K in ActionKind]?: string } = { edit: 'write', delete: 'write', fetch: 'fetch', read: 'read' };

/** `npm test`, or with the kind before it: `edit:src/a.ts`. */
function actionOf(argument: string): { readonly kind: ActionKind; readonly tool: string; readonly title: string } {
  const [first = '', rest] = argument.split(/:(.*)/s);
  const kind = rest === undefined ? undefined : actionKinds.find((known) => known === first);
  const title = kind === undefined ? argument : (rest ?? '');
  return { kind: kind ?? 'execute', tool: tools[kind ?? 'execute'] ?? 'shell', title: title === '' ? 'true' : title };
}

/** `429`, `429,1500` with the provider's hint in ms, `drop`, or the name of a class. */
function failureOf(argument: string): WireFailure {
  const [what = '', hint] = argument.split(',');
  const status = Number(what);
  const message = `the script says that the API answers ${what === '' ? 'nothing' : what}`;
  const retryAfterMs = hint === undefined ? {} : { retryAfterMs: Number(hint) };
  if (Number.isInteger(status) && status >= 400) {
    return { class: classOfStatus(status), status, message, ...retryAfterMs };
  }
  return { class: what === 'drop' || what === '' ? 'network' : (what as FailureClass), message, ...retryAfterMs };
}

/** A process in its own process session, as real agents run their tools; an interrupt ends it. */
async function runTool(turn: Turn, ms: number): Promise<void> {
  const { spawn } = await import('node:child_process');
  const seconds = String(ms / 1_000);
  const child = spawn('sleep', [seconds], { stdio: 'ignore', detached: true });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  const use = {
    kind: 'tool',
    name: 'shell',
    action: 'execute',
    id: `tool-${turn.id}-${child.pid}`,
    title: `sleep ${seconds} (pid ${child.pid ?? 'none'})`,
    input: { text: JSON.stringify({ command: `sleep ${seconds}` }) },
    startedAt: Date.now(),
  } as const;
  turn.output({ ...use, status: 'started' });
  await Promise.race([ended, turn.wait(ms + 1_000)]);
  const stopped = turn.stopped;
  if (child.pid !== undefined && child.exitCode === null) {
    process.kill(-child.pid, 'SIGKILL');
  }
  await ended;
  turn.output({ ...use, status: stopped ? 'failed' : 'completed', output: { text: '' }, endedAt: Date.now() });
}

export const requestDirectives = {
  background(turn: Turn, title: string): void {
    turn.tools.stdout.say({ type: 'background', work: title === '' ? [] : [title] });
  },

  async ask(turn: Turn, argument: string): Promise<void> {
    const { decision, note } = await turn.requestPermission(actionOf(argument));
    if (!turn.stopped) {
      turn.say(decision === 'allow' ? '(allowed) ' : `(denied${note === null ? '' : `: ${note}`}) `);
    }
  },

  'ask-withdrawn'(turn: Turn, argument: string): void {
    turn.withdraw(actionOf(argument));
  },

  /** A number of ms is a tool that runs so long; anything else is the name of one that has completed. */
  tool(turn: Turn, argument: string): Promise<void> | void {
    const [ms = 0] = numbers(argument, 0);
    if (ms > 0) {
      return runTool(turn, ms);
    }
    const name = argument === '' ? 'shell' : argument;
    turn.output({ kind: 'tool', name, action: 'other', status: 'completed', id: null, title: name });
  },

  api: (turn: Turn, argument: string): void => turn.fail('api', failureOf(argument)),

  /** Says that it retries, and continues after that time. */
  retry(turn: Turn, argument: string): Promise<void> {
    const [what = '', ms = ''] = argument.split(',');
    turn.retrying(failureOf(what));
    return turn.wait(numbers(ms, 1)[0] ?? 1);
  },

  model: (turn: Turn): void => turn.say(`model: ${turn.tools.model ?? 'the default'} `),
};
