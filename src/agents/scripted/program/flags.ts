/** Flags of the scripted agent's program. */
export interface ScriptedFlags {
  readonly script: string | null;
  readonly state: string | null;
  readonly log: string | null;
  /** Never says `ready`. */
  readonly noReady: boolean;
  /** Waits this long before `ready`. */
  readonly slowStartMs: number;
  readonly acks: boolean;
  readonly steer: boolean;
  readonly rewind: boolean;
  /** False: it cannot change its model. Names: it knows these; true: it knows any. */
  readonly models: boolean | readonly string[];
  /** Between two chunks of the default answer. */
  readonly chunkMs: number;
}

export const usage = `Usage: signalbox agent scripted [options]

The stand-in for a real agent. It speaks the agent protocol on stdin and stdout (docs/agent-protocol.md) and
follows the directives in the prompt, for example "[[stream:20,50]] [[text:done]]".

  --script FILE     take the answers from a file: {"turns":[{"match":"hello","do":"[[text:hi]]","once":true}],"default":"[[text:ok]]"}
  --state DIR       keep conversations there, one JSON file each, so that they can be resumed
  --log FILE        append a JSON line there for each thing it does (also: SIGNALBOX_AGENT_LOG)
  --chunk-ms MS     wait so long between two chunks of the default answer (5)
  --no-ready        never become ready
  --slow-start MS   become ready after so long
  --no-acks         declare that it does not acknowledge interrupts
  --no-steer        declare that it cannot be steered
  --no-rewind       declare that it cannot take a turn back
  --no-models       declare that it cannot change its model
  --models LIST     know only these models, with commas between them
  --help            show this text
`;

/** A text is what is wrong with the flags; null: the user wants help. */
export function parseFlags(
  args: readonly string[],
  environment: { readonly [name: string]: string | undefined },
): ScriptedFlags | string | null {
  const flags = {
    script: null as string | null,
    state: null as string | null,
    log: environment['SIGNALBOX_AGENT_LOG'] ?? null,
    noReady: false,
    slowStartMs: 0,
    acks: true,
    steer: true,
    rewind: true,
    models: true as boolean | readonly string[],
    chunkMs: 5,
  };
  const values: { [flag: string]: (value: string) => boolean } = {
    '--script': (value) => ((flags.script = value), true),
    '--state': (value) => ((flags.state = value), true),
    '--log': (value) => ((flags.log = value), true),
    '--slow-start': (value) => Number.isFinite((flags.slowStartMs = Number(value))),
    '--models': (value) => ((flags.models = value.split(',')), true),
    '--chunk-ms': (value) => Number.isFinite((flags.chunkMs = Number(value))),
  };
  const switches: { [flag: string]: () => void } = {
    '--no-ready': () => (flags.noReady = true),
    '--no-acks': () => (flags.acks = false),
    '--no-steer': () => (flags.steer = false),
    '--no-rewind': () => (flags.rewind = false),
    '--no-models': () => (flags.models = false),
  };
  for (let at = 0; at < args.length; at += 1) {
    const [name = '', inline] = (args[at] ?? '').split(/=(.*)/s);
    if (name === '--help' || name === '-h') {
      return null;
    }
    const set = values[name];
    if (set !== undefined) {
      const value = inline ?? args[(at += 1)];
      if (value === undefined || !set(value)) {
        return `${name} needs a value`;
      }
    } else if (switches[name] !== undefined) {
      switches[name]();
    } else {
      return `unknown option ${name}`;
    }
  }
  return flags;
}
