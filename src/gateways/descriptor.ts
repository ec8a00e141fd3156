/**
 * What the daemon and the documentation need to know of a webhook source before its code is loaded: its section of the
 * configuration, its secrets, and how to make its handlers. Each source's folder exports its own; `registry.ts` lists them all.
 */
import type { HookHandler } from '../protocol/hooks.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Signalbox } from '../runtime/api.ts';
import type { Door } from '../runtime/outbox/door.ts';

export interface RunnerUse {
  /** Such as `github.rules[2].runner`. */
  readonly where: string;
  readonly runner: string;
}

/** `C`: what the schema accepts. */
export interface SourceDescriptor<C> {
  /** Of its section, whose key is the one in the registry. */
  readonly schema: Schema;
  /** The shared secrets of a section, in every form that a sender may write them. No log or tape may show them. */
  secrets(config: C): readonly string[];
  /** The code runners that its rules name, each with its place in the configuration. */
  runners(config: C): readonly RunnerUse[];
  /** Loads the code and compiles the section. Throws `AppError` `bad_config` for what does not fit together. */
  load(box: Pick<Signalbox, 'submit'>, config: C): Promise<readonly HookHandler[]>;
}

/** The same of a door by which messages go out. */
export interface DoorDescriptor<C> {
  readonly schema: Schema;
  secrets(config: C): readonly string[];
  /** Loads the code and checks the section. Throws `AppError` `bad_config` for what does not fit together. */
  load(config: C): Promise<readonly Door[]>;
}
