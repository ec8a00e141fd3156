/** The daemon: everything of the other layers, wired together. */
export { startDaemon, type Daemon, type DaemonOptions } from './daemon.ts';
export { resolveConfig, type ConfigSources, type DaemonConfig } from './config/resolve.ts';
export { misspelt, settingsOf, variables, type Environment, type Setting } from './config/environment.ts';
export { loadConfigFile } from './config/file.ts';
