/** The launcher, without the daemon: `signalbox up` loads nothing else. */
export { launch, type LaunchEnd, type LaunchOptions } from '../supervise/launcher/launcher.ts';
