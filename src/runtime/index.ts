export type * from './api.ts';
export { type Clock, systemClock } from './clock.ts';
export { uuidV7 } from './ids.ts';
export { DEFAULT_LIMITS, type RuntimeLimits, type SignalboxOptions } from './options.ts';
export { Evicted } from './runners.ts';
export { createSignalbox } from './signalbox.ts';
export { Workspaces, type WorkspaceOptions, type WorkspaceRule } from './workspaces.ts';
