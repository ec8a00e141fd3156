/**
 * Node's own modules as whole objects. An `import` of one also makes the list of its exports, and for that runs its lazy
 * getters: `node:http` loads `fetch` by it (19 ms instead of 3), `node:fs` its promises. What every start runs through
 * cannot pay that; code that runs longer imports as usual.
 */
export const builtin: typeof process.getBuiltinModule = process.getBuiltinModule.bind(process);
