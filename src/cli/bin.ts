#!/usr/bin/env node
/**
 * The program `signalbox`. It has no static import and no syntax that an old Node lacks: on one, the check below must
 * run and say what to do, where other code would fail at `node:sqlite` or at a `using` that it cannot parse.
 */
const needed = 24;

if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    `Signalbox needs Node ${needed} or newer, this is ${process.version} (${process.execPath}).\n` +
      `In a clone run it by npx or npm (\`npx signalbox\`, \`npm start\`), which use the Node that \`npm ci\` installed; ` +
      `elsewhere install Node ${needed}: https://nodejs.org\n`,
  );
  process.exitCode = 2;
} else {
  // Halves the time in which our modules are read. It does not throw for a folder that cannot be written.
  process.getBuiltinModule('node:module').enableCompileCache();
  const words = process.argv.slice(2);
  const { main } = await (words[0] === 'up' ? import('./up/launcher.ts') : import('./main.ts'));
  process.exitCode = await main(words);
}

export {};
