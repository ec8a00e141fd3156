/**
 * Three GitHub deliveries for the demo and for trying a configuration by hand. They go to one session, `github:Codertocat/Hello-World`.
 * The payloads are example payloads that GitHub and the community keep in @octokit/webhooks-examples 7.6.1 (licence MIT): ids,
 * names and shape as recorded, trimmed to about what is read here. Ours are the texts, the state of the review, and the output
 * of the check and the short name of its app, which its address shows.
 */
import checkRun from './check-run.json' with { type: 'json' };
import issueComment from './issue-comment.json' with { type: 'json' };
import review from './review.json' with { type: 'json' };

export interface RecordedDelivery {
  readonly event: string;
  /** What it is, for a person. */
  readonly title: string;
  readonly payload: unknown;
}

export const recordedDeliveries: readonly [RecordedDelivery, RecordedDelivery, RecordedDelivery] = [
  { event: 'issue_comment', title: 'a comment on an issue', payload: issueComment },
  { event: 'pull_request_review', title: 'a review of a pull request', payload: review },
  { event: 'check_run', title: 'a failed check', payload: checkRun },
];
