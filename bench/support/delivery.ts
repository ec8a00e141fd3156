/** A GitHub delivery of a given size, made from the kind of comment that GitHub sends. */
import { createHmac } from 'node:crypto';

export const secret = "It's a Secret to Everybody";
export const owner = 'acme';

/** A created comment in `acme/app-N`; its text fills the body up to `bytes`. */
export function commentBody(repo: number, bytes: number): string {
  const make = (text: string): string =>
    JSON.stringify({
      action: 'created',
      issue: {
        number: 7,
        title: 'The greeting is wrong',
        html_url: `https://github.com/${owner}/app-${repo}/issues/7`,
        user: { login: 'octocat', type: 'User' },
        author_association: 'MEMBER',
        body: 'It says goodbye.',
      },
      comment: {
        id: 99,
        html_url: `https://github.com/${owner}/app-${repo}/issues/7#issuecomment-99`,
        user: { login: 'octocat', type: 'User' },
        author_association: 'MEMBER',
        body: text,
      },
      repository: { name: `app-${repo}`, full_name: `${owner}/app-${repo}`, owner: { login: owner } },
      sender: { login: 'octocat', type: 'User' },
    });
  return make('x'.repeat(Math.max(1, bytes - make('').length)));
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
