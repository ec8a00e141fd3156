/** What of a turn is limited: the bytes that its agent says, the tools that it uses, the tokens that it takes, its time. */
export const turnLimits = ['output', 'tools', 'tokens', 'time'] as const;
export type TurnLimit = (typeof turnLimits)[number];
