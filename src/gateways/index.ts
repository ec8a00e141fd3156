/** Doors for events of other systems: GitHub webhooks, and anything that signs by Standard Webhooks. */
export { GITHUB_BODY_LIMIT, GITHUB_HOOK_PATH, githubHook, type GithubHookOptions } from './github/hook.ts';
export { signDelivery, type Delivery } from './github/signature.ts';
export { RECORDED_DELIVERIES, type RecordedDelivery } from './github/recorded/index.ts';
export { HOOK_BODY_LIMIT, signStandardDelivery, standardHooks, type StandardHooksOptions } from './hooks/hook.ts';
