/**
 * The daemon's program, the child of `signalbox up`: it reads the words that the launcher was called with, and has the control
 * socket as its descriptor 3. Called by hand it says what to do instead.
 */
// Halves the time in which our modules are read. It does not throw for a folder that cannot be written.
process.getBuiltinModule('node:module').enableCompileCache();
const { main } = await import('../main.ts');
const { isLaunched, leave, serve } = await import('./foreground.ts');

if (isLaunched()) {
  leave(await main(process.argv.slice(2), serve));
} else {
  process.stderr.write('This is a part of Signalbox. Start the daemon with: signalbox up\n');
  process.exitCode = 2;
}

export {};
