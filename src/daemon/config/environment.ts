/**
 * The part of the configuration that comes from the environment. Names are made from the schema: `limits.maxOpen` is
 * SIGNALBOX_LIMITS_MAX_OPEN. Lists and maps have no variable, the file has them; a shared secret has one, since it belongs
 * into no file under version control.
 */
import { AppError } from '../../core/errors.ts';
import type { Schema } from '../../protocol/schema.ts';
import { formerKeys, formerVariables } from '../../protocol/former-names.ts';
import { nearest } from '../../protocol/nearest.ts';
import { ConfigFileSchema } from './schema.ts';

export type Environment = Readonly<{ [name: string]: string | undefined }>;

interface Variable {
  readonly name: string;
  /** Where its value goes in the configuration. */
  readonly path: readonly string[];
  readonly schema: Schema;
}

const prefix = 'SIGNALBOX_';

/** Read by the command line before there is a configuration, or by other parts of Signalbox. */
export const otherVariables = [
  'SIGNALBOX_DATA',
  'SIGNALBOX_CONFIG',
  'SIGNALBOX_URL',
  'SIGNALBOX_TOKEN',
  'SIGNALBOX_AGENT_LOG',
  'SIGNALBOX_COOKIE',
  'SIGNALBOX_DAEMON_ID',
] as const;

const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

const variableOf = (path: readonly string[]): string => prefix + path.map(words).join('_');

const isScalar = ({ type }: Schema): boolean => type === 'string' || type === 'integer' || type === 'boolean';

function variablesOf(schema: Schema, path: readonly string[]): readonly Variable[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]): readonly Variable[] => {
    const at = [...path, name];
    const alone = isScalar(member) ? member : member.anyOf?.find(isScalar);
    if (alone !== undefined) {
      return [{ name: variableOf(at), path: at, schema: alone }];
    }
    return member.properties === undefined ? [] : variablesOf(member, at);
  });
}

export const variables: readonly Variable[] = variablesOf(ConfigFileSchema, []);

/** A text as its schema wants it; what cannot be read so stays text, for the validation to refuse. */
function valueOf(schema: Schema, text: string): unknown {
  if (schema.type === 'integer') {
    return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  }
  if (schema.type === 'boolean') {
    return text === 'true' || text === '1' || (text === 'false' || text === '0' ? false : text);
  }
  return text;
}

export interface Setting {
  /** What a person wrote: a variable or a flag. */
  readonly written: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** An empty variable counts as unset. Throws `bad_config` for an empty secret: a door that its owner believes open would be missing. */
export function settingsOf(environment: Environment): readonly Setting[] {
  return variables.flatMap(({ name, path, schema }) => {
    const text = environment[name];
    if (text !== undefined && text.trim() === '' && path.at(-1) === 'secret') {
      throw new AppError({
        code: 'bad_config',
        message: `${name} is empty`,
        hint: 'Give it the secret, or unset it.',
      });
    }
    return text === undefined || text === '' ? [] : [{ written: name, path, value: valueOf(schema, text) }];
  });
}

/** Variables with a former name, and the present name of each. */
export const formerNames: { readonly [former: string]: string } = {
  ...formerVariables,
  ...Object.fromEntries(
    Object.entries(formerKeys).map((row) => row.map((key) => variableOf(key.split('.'))) as [string, string]),
  ),
};

/**
 * A warning for each variable that has a former name or looks misspelt. It is not an error: an agent that starts its own
 * daemon passes on variables that Signalbox does not know.
 */
export function warningsOf(environment: Environment): readonly string[] {
  const known = [...variables.map(({ name }) => name), ...otherVariables];
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(prefix) || known.some((one) => one === name)) {
      return [];
    }
    const present = Object.hasOwn(formerNames, name) ? formerNames[name] : undefined;
    if (present !== undefined) {
      return [`${name} is now ${present}`];
    }
    // The prefix is common to all: what comes after it must be near.
    const meant = nearest(
      name.slice(prefix.length),
      known.map((one) => one.slice(prefix.length)),
    );
    return meant === null ? [] : [`${name} is not known; did you mean ${prefix}${meant}?`];
  });
}
