/**
 * Which layer may import which, as decided in docs/adr/0001. The `references` of each layer's tsconfig.json must say
 * the same; the tests beside this file compare the two, and then try every pair on the compiler.
 */

const layers = {
  core: [],
  protocol: ['core'],
  store: ['core', 'protocol'],
  supervise: ['core'],
  agents: ['core', 'protocol', 'supervise'],
  runtime: ['core', 'protocol', 'store', 'supervise', 'agents'],
  server: ['core', 'protocol', 'store', 'runtime'],
  gateways: ['core', 'protocol', 'runtime'],
  client: ['core', 'protocol'],
  testing: ['core', 'protocol', 'store', 'supervise', 'agents', 'runtime', 'gateways'],
  daemon: ['core', 'protocol', 'store', 'supervise', 'agents', 'runtime', 'server', 'gateways', 'client', 'testing'],
  cli: ['core', 'protocol', 'supervise', 'agents', 'gateways', 'client', 'daemon'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What the command line imports statically. Everything else it loads by `import()`, when a command needs it. */
export const startsCli: readonly string[] = ['core', 'protocol', 'client', 'cli'];

export type Layer = keyof typeof layers;

export const layerNames = Object.keys(layers) as Layer[];

/** What src/index.ts, the library's front door, may import. */
export const frontDoor: readonly Layer[] = ['core', 'protocol', 'store', 'supervise', 'agents', 'runtime', 'daemon'];

export function allowed(layer: Layer): readonly Layer[] {
  return layers[layer];
}

/**
 * What the compiler lets a layer import: project references are transitive, so this is the closure of the table. The
 * pairs in the closure but not in the table are caught by the scan of import statements.
 */
export function reachable(layer: Layer): ReadonlySet<Layer> {
  const seen = new Set<Layer>();
  const open: Layer[] = [...allowed(layer)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) {
      continue;
    }
    seen.add(next);
    open.push(...allowed(next));
  }
  return seen;
}
