/** Hang reports without the daemon: their folder, and the launcher that takes one. For the command line. */
export { askDoor, type DoorAnswer } from '../supervise/launcher/report-socket.ts';
export { listReports, readReport } from '../supervise/watchdog/report-files.ts';
