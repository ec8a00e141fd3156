/**
 * Why an event that no rule takes makes no task. Every event that GitHub documents has its reason; a sender reads it in
 * the answer, and an operator in GitHub's list of recent deliveries.
 */

export const ignoreReasons = {
  no_request: 'It only reports an event, and requests nothing.',
  administration: 'It is about accounts, access or settings, on which an agent should not act by itself.',
  told_elsewhere: 'Another event reports the same thing, and one task per thing is enough.',
  needs_a_rule: 'It can be work for an agent, but no built-in rule takes it: add a rule to github.rules.',
  unknown_event: 'Signalbox does not know this event: add a rule to github.rules to make a task of it.',
  action_not_mapped: 'Rules take other actions of this event, not this one.',
  ignored_by_rule: 'A rule of the configuration says so.',
  own_event: 'The agent itself caused it.',
  bot_event: 'Another bot caused it, and github.ignoreBots is on.',
  bot_not_configured: 'Only an event for the agent counts here, and github.bot names no login of the agent.',
  untrusted_author: 'It is the request of someone who may not change the repository, and github.untrusted is `ignore`.',
  nothing_to_answer: 'It has no text. Comments on lines of a review have their own deliveries.',
  conclusion_not_failed: 'It did not fail.',
  covered_by_workflow_run: 'GitHub Actions also report the whole workflow run, which makes the task.',
  assigned_to_another: 'The issue was assigned to another account.',
  label_not_watched: 'The label is not one that the rule watches.',
  review_requested_from_another: 'The review was requested from another account.',
  condition_not_met: 'A condition of the rule does not hold.',
  no_rule: 'The built-in rules are switched off, and no other takes it.',
} as const;

type EventReason = 'no_request' | 'administration' | 'told_elsewhere' | 'needs_a_rule';

const group = (reason: EventReason, events: string): readonly (readonly [string, EventReason])[] =>
  events
    .trim()
    .split(/\s+/)
    .map((event) => [event, reason] as const);

/** Events without a built-in rule, as GitHub's "Webhook events and payloads" lists them (with the older ones of GitHub Enterprise Server). */
export const eventReasons: ReadonlyMap<string, EventReason> = new Map([
  ...group(
    'no_request',
    `create delete deployment deployment_status exemption_request_push_ruleset fork gollum issue_dependencies label milestone package page_build
     project project_card project_column projects_v2 projects_v2_item projects_v2_status_update public pull_request_review_thread push
     registry_package release repository_import star sub_issues watch`,
  ),
  ...group(
    'administration',
    `branch_protection_configuration branch_protection_rule bypass_request_push_ruleset bypass_request_secret_scanning cache_sync
     content_reference custom_property custom_property_values deploy_key enterprise github_app_authorization installation installation_repositories
     installation_target integration_installation integration_installation_repositories marketplace_purchase member membership meta org_block organization
     personal_access_token_request repository repository_ruleset secret_scanning_scan security_and_analysis sponsorship team team_add user`,
  ),
  ...group('told_elsewhere', 'check_suite workflow_job secret_scanning_alert_location'),
  ...group(
    'needs_a_rule',
    `code_scanning_alert commit_comment dependabot_alert deployment_protection_rule deployment_review discussion discussion_comment
     dismissal_request_code_scanning dismissal_request_dependabot dismissal_request_secret_scanning merge_group merge_queue_entry repository_advisory
     repository_dispatch repository_vulnerability_alert secret_scanning_alert security_advisory status workflow_dispatch`,
  ),
]);
