/** Names that an earlier state of Signalbox or of its pages had, with the present ones: errors and warnings name both. */

/** Keys of the configuration. Environment variables are made from keys, so these rows hold for variables too. */
export const formerKeys: { readonly [former: string]: string } = {
  'limits.askMs': 'limits.permissionMs',
  'limits.maxPreemptions': 'limits.maxPassedOver',
  'limits.agentCrashes': 'limits.maxCrashes',
  'limits.agentPauseMs': 'limits.crashThrottleMs',
  'limits.holdMs': 'limits.holdLimitMs',
  'limits.idleMs': 'limits.agentIdleMs',
  'limits.protectedMs': 'limits.protectedTurnMs',
};

/** Environment variables that are not made from keys. */
export const formerVariables: { readonly [former: string]: string } = {
  SIGNALBOX_NODE: 'SIGNALBOX_DAEMON_ID',
};

/** Commands of the command line. */
export const formerCommands: { readonly [former: string]: string } = {
  asks: 'permissions',
};
