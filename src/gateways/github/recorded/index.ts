/** Three GitHub deliveries for the demo and for trying a configuration by hand. They go to one session, `github:Codertocat/Hello-World`. */
import { checkRun } from './check-run.ts';
import { issueComment } from './issue-comment.ts';
import { review } from './review.ts';

export interface RecordedDelivery {
  readonly event: string;
  /** What it is, for a person. */
  readonly title: string;
  readonly payload: unknown;
}

export const RECORDED_DELIVERIES: readonly [RecordedDelivery, RecordedDelivery, RecordedDelivery] = [
  { event: 'issue_comment', title: 'a comment on an issue', payload: issueComment },
  { event: 'pull_request_review', title: 'a review of a pull request', payload: review },
  { event: 'check_run', title: 'a failed check', payload: checkRun },
];
