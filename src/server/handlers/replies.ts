/** Messages that go out: list, send again, give up. */
import { sessionKey } from '../../core/model/ids.ts';
import type { Reply } from '../../protocol/index.ts';
import type { Outbox, OutboxRow } from '../../store/outbox.ts';
import { absent, type Handlers } from '../context.ts';
import { ProblemError } from '../respond.ts';

type ReplyOperation = 'listReplies' | 'resendReply' | 'dropReply';

export const replyHandlers: Handlers<ReplyOperation> = {
  async listReplies({ query: { session, state, cursor = null, limit = 50 } }, { signalbox }) {
    const filter = {
      ...(session === undefined ? {} : { session: sessionKey(session) }),
      ...(state === undefined ? {} : { state }),
    };
    const page = await signalbox.store.outbox.list(filter, cursor, limit);
    return { status: 200, body: { items: page.items.map(replyView), cursor: page.cursor } };
  },

  async resendReply({ params: { id } }, { signalbox, now, outgoing }) {
    const { outbox } = signalbox.store;
    const row = await changed(outbox, id, await outbox.resend(id, now()));
    outgoing.wake();
    return { status: 200, body: replyView(row) };
  },

  async dropReply({ params: { id } }, { signalbox, now, outgoing }) {
    const { outbox } = signalbox.store;
    const row = await changed(outbox, id, await outbox.drop(id, now()));
    // The next one of its address need not wait for it.
    outgoing.wake();
    return { status: 200, body: replyView(row) };
  },
};

/** Throws `unknown_reply` or `reply_state`. */
async function changed(outbox: Outbox, id: string, row: OutboxRow | null): Promise<OutboxRow> {
  if (row !== null) {
    return row;
  }
  const found = await outbox.row(id);
  if (found === null) {
    throw absent('unknown_reply', id);
  }
  throw new ProblemError('reply_state', { detail: `It is ${found.state}.` });
}

const replyView = (row: OutboxRow): Reply => {
  const { id, door, address, session, task, type, at, state, attempts, notBefore, reference, problem, changedAt } = row;
  return {
    id,
    door,
    address,
    session,
    task,
    type,
    at,
    state,
    attempts,
    nextAt: state === 'due' ? notBefore : null,
    reference,
    problem,
    changedAt,
  };
};
