/**
 * Every webhook source, by the key of its section in the configuration. A new source is its folder and one line here. Its
 * schema becomes a part of the configuration's, its variables and its reference are made from that.
 */
import { AppError } from '../core/errors.ts';
import type { HookHandler } from '../protocol/hooks.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Signalbox } from '../runtime/api.ts';
import type { RunnerUse, SourceDescriptor } from './descriptor.ts';
import { descriptor as github } from './github/descriptor.ts';
import { descriptor as hooks } from './standard-webhooks/descriptor.ts';

const sources = { github, hooks } as const;

type Sources = typeof sources;
type SourceKey = keyof Sources;

type AllConfigs = { readonly [K in SourceKey]: Sources[K] extends SourceDescriptor<infer C> ? C : never };
/** What the file says of each source; one without a section is off. */
export type SourceConfigs = Partial<AllConfigs>;

export const sourceKeys = Object.keys(sources) as readonly SourceKey[];

/** The schema of each section. */
export const sourceSchemas = Object.fromEntries(sourceKeys.map((key) => [key, sources[key].schema])) as {
  readonly [K in SourceKey]: Schema;
};

/** Each descriptor with its own section; the mapped type tells the compiler that the two belong together. */
const descriptors: { readonly [K in SourceKey]: SourceDescriptor<AllConfigs[K]> } = sources;

const secretsOf = <K extends SourceKey>(key: K, config: AllConfigs[K] | undefined): readonly string[] =>
  config === undefined ? [] : descriptors[key].secrets(config);

const handlersOf = async <K extends SourceKey>(
  key: K,
  box: Pick<Signalbox, 'submit'>,
  config: AllConfigs[K] | undefined,
): Promise<readonly HookHandler[]> => (config === undefined ? [] : descriptors[key].load(box, config));

const runnersOf = <K extends SourceKey>(key: K, config: AllConfigs[K] | undefined): readonly RunnerUse[] =>
  config === undefined ? [] : descriptors[key].runners(config);

/** The code runners that the rules of all sections name. */
export const sourceRunners = (configs: SourceConfigs): readonly RunnerUse[] =>
  sourceKeys.flatMap((key) => runnersOf(key, configs[key]));

/** The shared secrets of all sections. */
export const sourceSecrets = (configs: SourceConfigs): readonly string[] =>
  sourceKeys.flatMap((key) => secretsOf(key, configs[key]));

/**
 * Loads the sources that have a section: a daemon without webhooks needs no signature library. Throws `AppError` `bad_config`
 * where a section does not fit together, or takes the address of another source.
 */
export async function loadSources(
  box: Pick<Signalbox, 'submit'>,
  configs: SourceConfigs,
): Promise<readonly HookHandler[]> {
  const all: HookHandler[] = [];
  for (const key of sourceKeys) {
    for (const handler of await handlersOf(key, box, configs[key])) {
      const other = sourceKeys.find((one) => one !== key && handler.path === `/hooks/${one}`);
      if (other !== undefined) {
        throw new AppError({
          code: 'bad_config',
          message: `${key}: the address ${handler.path} belongs to the source ${other}, which has a section of its own`,
          hint: `Configure it in the section "${other}", or choose another name.`,
        });
      }
      all.push(handler);
    }
  }
  return all;
}
