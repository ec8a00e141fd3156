import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Client } from '../../client/index.ts';
import type { SessionView } from '../../protocol/sessions.ts';
import type { Call } from '../call.ts';
import { connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { harmless, oneLine } from '../output/paint.ts';
import { shortIds } from '../output/short-id.ts';
import {
  ageText,
  permissionRequestsText,
  facts,
  ownerText,
  parkedText,
  statePaint,
  throttleText,
  timeText,
} from '../output/text.ts';
import { sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'session',
  group: 'Watch',
  what: 'show one session: who owns it, and who waits',
  next: 'Next: signalbox explain TASK says what a task waits for',
  args: [sessionArgument],
  flags: [],
  examples: [{ line: 'signalbox session hello', what: '' }],
  run,
};

/** Waiting tasks that are shown by their titles. */
const titledMax = 200;

async function openTasksOf(client: Client, session: string): Promise<ReadonlyMap<string, TaskSummary>> {
  const { items } = await client.tasks({ session, status: ['queued', 'running'], limit: titledMax });
  return new Map(items.map((task) => [task.id, task]));
}

function queueText(
  queue: SessionView['queue'],
  tasks: ReadonlyMap<string, TaskSummary>,
  shown: (id: string) => string,
  { paint, terminal, columns }: Io,
): string {
  const lines = queue.map((id, index) => {
    const task = tasks.get(id);
    const head = `  ${index + 1}. ${shown(id)}`;
    if (task === undefined) {
      return head;
    }
    const room = terminal ? Math.max(10, columns - head.length - task.state.length - 4) : 120;
    return `${head}  ${statePaint(task.state, paint)(task.state)}  ${oneLine(task.title, room)}`;
  });
  return lines.join('\n');
}

async function run(call: Call, io: Io): Promise<number> {
  const client = await connect(call, io);
  const session = await client.session(call.arg('SESSION'));
  if (io.json) {
    io.document(session);
    return 0;
  }
  const { paint } = io;
  const { owner } = session;
  const tasks = await openTasksOf(client, session.key);
  const id = shortIds([...session.queue, ...(owner === null ? [] : [owner.task])], io);
  const throttle = throttleText(session.throttle, Date.now());
  const requests = permissionRequestsText(session.permissionRequests);
  const title = owner === null ? undefined : tasks.get(owner.task)?.title;
  io.print(
    facts(
      [
        ['session', paint.strong(harmless(session.key))],
        ['state', statePaint(session.state, paint)(session.state)],
        ['owner', owner === null ? 'none' : ownerText(owner, paint, Date.now(), id)],
        ['works on', title === undefined ? null : oneLine(title, 120)],
        ['last words', session.lastWords === null ? null : harmless(session.lastWords)],
        ['agent', harmless(session.agent)],
        ['model', session.model === null ? null : harmless(session.model)],
        ['throttle', throttle === null ? null : paint.warn(harmless(throttle))],
        ['permission requests', requests === null ? null : paint.warn(harmless(requests))],
        ['parked', parkedText(session.parked, paint)],
        ['open', `${session.open}, ${session.queued} of them queued`],
        ['turns', `${session.turns}, epoch ${session.epoch}, agents started: ${session.incarnations}`],
        ['conversation', session.conversation === null ? null : harmless(session.conversation)],
        ['changed', `${timeText(session.changedAt)}, ${ageText(Date.now() - session.changedAt)} ago`],
      ],
      io,
    ),
  );
  if (session.queue.length > 0) {
    io.print(
      `\n${paint.faint('queue, in the order in which it will be served')}\n${queueText(session.queue, tasks, id, io)}`,
    );
  }
  return 0;
}
