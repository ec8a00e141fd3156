/** A delivery as GitHub sends it: the recorded comment that ships with @octokit/webhooks-examples, in one of our repositories. */
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';

export const secret = "It's a Secret to Everybody";

type Payload = { readonly [name: string]: unknown };

/** `issue_comment.created`, which is most of 10 KB by what GitHub tells of the repository and its people; `bytes` are filled up in its text. */
export function commentBody(repo: number, bytes: number): string {
  const recorded = createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json') as readonly {
    readonly name: string;
    readonly examples: readonly Payload[];
  }[];
  const payload = recorded
    .find(({ name }) => name === 'issue_comment')
    ?.examples.find(({ action }) => action === 'created');
  if (payload === undefined) {
    throw new Error('there is no recorded comment');
  }
  const { repository, comment } = payload as { readonly repository: Payload; readonly comment: Payload };
  const make = (text: string): string =>
    JSON.stringify({
      ...payload,
      repository: { ...repository, name: `app-${repo}` },
      comment: { ...comment, body: `${String(comment['body'])} ${text}` },
    });
  return make('so it goes '.repeat(1_000).slice(0, Math.max(0, bytes - make('').length)));
}

/** Head and body of one request, whole but for the delivery id, which is put in for `%ID%` (36 characters). */
export function requestFor(body: string, host: string): string {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return [
    'POST /hooks/github HTTP/1.1',
    `host: ${host}`,
    'content-type: application/json',
    'user-agent: GitHub-Hookshot/bench',
    'x-github-event: issue_comment',
    'x-github-delivery: %ID%',
    `x-hub-signature-256: sha256=${signature}`,
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
