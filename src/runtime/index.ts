export type * from './api.ts';
export { type Clock, systemClock } from './clock.ts';
export { uuidV7 } from './ids.ts';
export { defaultLimits, type RuntimeLimits, type SignalboxOptions } from './options.ts';
export { Evicted } from './session/runners.ts';
export { createSignalbox } from './signalbox.ts';
export { Workspaces, type WorkspaceOptions, type WorkspaceRule } from './workspace/workspaces.ts';
