#!/usr/bin/env node
/**
 * The program `signalbox`. It has no static import and no syntax that an old Node lacks: on one, the check below must
 * run and say what to do, where anything else would die of `node:sqlite` or of a `using` that it cannot parse.
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
  // Halves the time in which our own modules are read; a folder that cannot be written is no error there.
  process.getBuiltinModule('node:module').enableCompileCache();
  const words = process.argv.slice(2);
  const { main } = await (words[0] === 'up' ? import('./up/launcher.ts') : import('./main.ts'));
  process.exitCode = await main(words);
}

export {};
