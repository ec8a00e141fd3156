/** Loaded by `node --import` before a program: puts the text of a mutant in place of one file of the core. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const { SIGNALBOX_MUTANT_ORIGINAL: original, SIGNALBOX_MUTANT_INSTEAD: instead } = process.env;
if (original === undefined || instead === undefined) {
  throw new Error('preload.ts needs SIGNALBOX_MUTANT_ORIGINAL and SIGNALBOX_MUTANT_INSTEAD');
}
const url = pathToFileURL(original).href;
registerHooks({
  load: (loaded, context, next) => {
    const module = next(loaded, context);
    return loaded === url ? { ...module, source: readFileSync(instead, 'utf8') } : module;
  },
});
