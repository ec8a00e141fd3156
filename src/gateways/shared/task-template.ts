/**
 * Turns a verified delivery into a submit request by a template from the configuration.
 * Compiled once at start, where everything that does not fit together is refused; at a delivery only the delivery can be at fault.
 */
import { createHash } from 'node:crypto';
import { errorCodes } from '../../core/error-codes.ts';
import { AppError } from '../../core/errors.ts';
import type { Lane } from '../../core/model/task.ts';
import { SessionKeySchema } from '../../protocol/ids.ts';
import type { SubmitRequest } from '../../runtime/api.ts';
import { type HookTaskTemplate, literalFields, type LiteralField, quoteMax } from './config.ts';
import { checkPath, scalarAt, type FieldPath } from './fields.ts';
import {
  compileTemplate,
  oneLine,
  renderPlain,
  renderPrompt,
  type Fact,
  type Facts,
  type Template,
} from './template.ts';

const labelMax = 300;
/** Levels of nesting in the input of a code runner or a holder; as over HTTP. */
const inputDepthMax = 64;
/** Bound of `author` in a submit request. */
const authorMax = 200;

export interface CompiledTask {
  readonly where: string;
  readonly spec: HookTaskTemplate;
  readonly paths: readonly (readonly [name: string, path: FieldPath])[];
  readonly blocks: ReadonlySet<string>;
  readonly needed: readonly string[];
  readonly session: Template;
  readonly source: Template;
  readonly prompt: Template;
  readonly labels: readonly (readonly [name: string, template: Template])[];
  readonly quoteMax: number;
}

interface CompileOptions {
  /** The template's place in the configuration, for messages. */
  readonly where: string;
  /** Facts that the gateway gives itself, such as the delivery id. */
  readonly given: readonly string[];
  readonly defaults: {
    readonly session: string;
    readonly source: string;
    readonly labels: { readonly [name: string]: string };
  };
  readonly quoteMax: number | undefined;
}

/** Throws `bad_config` with the place and the way out. */
export function compileTask(spec: HookTaskTemplate, options: CompileOptions): CompiledTask {
  const { where, defaults } = options;
  const facts = spec.facts ?? {};
  for (const [name, path] of Object.entries(facts)) {
    checkPath(path, `${where}.facts.${name}`);
  }
  const known = new Set([...options.given, ...Object.keys(facts)]);
  checkLiterals(spec, known, where);
  checkMode(spec, where);
  for (const [key, names] of [
    ['blocks', spec.blocks ?? []],
    ['require', spec.require ?? []],
    ['author', spec.author === undefined ? [] : [spec.author]],
  ] as const) {
    for (const name of names) {
      if (!known.has(name)) {
        throw unknownFact(`${where}.${key}`, name, known);
      }
    }
  }
  const session = compileTemplate(spec.session ?? defaults.session, known, `${where}.session`);
  const source = compileTemplate(spec.source ?? defaults.source, known, `${where}.source`);
  return {
    where,
    spec,
    paths: Object.entries(facts),
    blocks: new Set(['body', ...(spec.blocks ?? [])]),
    needed: [...new Set([...(spec.require ?? []), ...session.names, ...source.names])],
    session,
    source,
    prompt: compileTemplate(spec.prompt ?? '', known, `${where}.prompt`),
    labels: Object.entries({ ...defaults.labels, ...spec.labels }).map(
      ([name, text]) => [name, compileTemplate(text, known, `${where}.labels.${name}`)] as const,
    ),
    quoteMax: options.quoteMax ?? quoteMax.default,
  };
}

/** Who does the work: the agent with a prompt, a runner of the daemon, or a program outside it. What contradicts itself stops the start. */
function checkMode({ prompt, mode, runner = null }: HookTaskTemplate, where: string): void {
  if (mode !== undefined && (mode === 'code') !== (runner !== null)) {
    throw new AppError({
      code: 'bad_config',
      message: `${where}.mode: ${mode} ${runner === null ? 'needs a runner' : 'takes no runner'}`,
      hint: errorCodes.mode_conflict.hint,
    });
  }
  if (prompt === undefined && runner === null && mode !== 'external') {
    throw new AppError({
      code: 'bad_config',
      message: `${where}: no prompt`,
      hint: 'Give it a "prompt" template, the name of a registered "runner", or `mode: "external"`.',
    });
  }
}

/** What could be a place of a template: `{name}`. */
const placePattern = /\{([A-Za-z][A-Za-z0-9_]*)\}/;

/** A text that looks like a template where none is read: its author expects the delivery to choose the value. */
function checkLiterals(spec: HookTaskTemplate, known: ReadonlySet<string>, where: string): void {
  for (const field of literalFields) {
    for (const text of textsIn(spec[field])) {
      const name = placePattern.exec(text)?.[1];
      // A rule of permissions may name a command with braces in it.
      if (name !== undefined && (field !== 'permissions' || known.has(name))) {
        throw new AppError({
          code: 'bad_config',
          message: `${where}.${field}: ${JSON.stringify(text)} contains {${name}}, but this field takes nothing from a delivery`,
          hint: 'Write the value itself. To choose by the delivery, write one rule for each value, with conditions.',
        });
      }
    }
  }
}

const textsIn = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

function literalsOf(spec: HookTaskTemplate): Pick<HookTaskTemplate, LiteralField> {
  return Object.fromEntries(
    literalFields.filter((field) => spec[field] !== undefined).map((field) => [field, spec[field]]),
  );
}

function unknownFact(where: string, name: string, known: ReadonlySet<string>): AppError {
  return new AppError({
    code: 'bad_config',
    message: `${where}: there is no fact "${name}"`,
    hint: `Declare it under "facts", or take one of ${[...known].toSorted().join(', ')}.`,
  });
}

export type Built =
  | { readonly kind: 'task'; readonly request: SubmitRequest; readonly facts: Facts }
  /** The delivery lacks these; `path` is where they were looked for. */
  | { readonly kind: 'missing'; readonly facts: readonly { readonly name: string; readonly path: string }[] }
  | { readonly kind: 'unusable'; readonly what: 'session' | 'source'; readonly value: string }
  | { readonly kind: 'outside'; readonly session: string; readonly prefix: string }
  | { readonly kind: 'too-deep' };

interface DeliveryParts {
  readonly body: unknown;
  readonly given: { readonly [name: string]: string };
  readonly idempotencyKey: string;
  /** The bytes that were signed. The same delivery is the same request, also when its rule has changed in between. */
  readonly text: string;
  /** Rights class where the template fixes none. */
  readonly rights: (facts: Facts) => string;
  /** Lane where the template fixes none. */
  readonly lane: Lane;
}

export function buildTask(compiled: CompiledTask, delivery: DeliveryParts): Built {
  const facts = readFacts(compiled, delivery);
  const missing = compiled.needed.filter((name) => (facts.get(name) ?? null) === null);
  if (missing.length > 0) {
    return { kind: 'missing', facts: missing.map((name) => ({ name, path: pathOf(compiled, name) })) };
  }
  const session = renderPlain(compiled.session, facts);
  if (!usable(session)) {
    return { kind: 'unusable', what: 'session', value: session };
  }
  const { sessionPrefix = '' } = compiled.spec;
  if (!session.startsWith(sessionPrefix)) {
    return { kind: 'outside', session, prefix: sessionPrefix };
  }
  const source = renderPlain(compiled.source, facts);
  if (!usable(source)) {
    return { kind: 'unusable', what: 'source', value: source };
  }
  const { spec } = compiled;
  const takesInput = (spec.runner ?? null) !== null || spec.mode === 'external';
  // It is stored and serialised again, which takes as deep a stack.
  if (takesInput && isDeeper(delivery.body, inputDepthMax)) {
    return { kind: 'too-deep' };
  }
  const request: SubmitRequest = {
    ...literalsOf(spec),
    session,
    prompt: renderPrompt(compiled.prompt, facts, compiled.quoteMax),
    source,
    rights: spec.rights ?? delivery.rights(facts),
    lane: spec.lane ?? delivery.lane,
    author: authorOf(facts.get(spec.author ?? 'author') ?? null),
    idempotencyKey: delivery.idempotencyKey,
    requestDigest: createHash('sha256').update(delivery.text).digest('base64url'),
    labels: readLabels(compiled, facts),
    ...(takesInput ? { input: delivery.body } : {}),
  };
  return { kind: 'task', request, facts };
}

function readFacts(compiled: CompiledTask, delivery: DeliveryParts): Facts {
  const facts = new Map<string, Fact | null>();
  const put = (name: string, value: string | null): void => {
    facts.set(name, value === null || value === '' ? null : { value, block: compiled.blocks.has(name) });
  };
  for (const [name, value] of Object.entries(delivery.given)) {
    put(name, value);
  }
  for (const [name, path] of compiled.paths) {
    const value = scalarAt(delivery.body, path);
    put(name, value === null ? null : String(value));
  }
  return facts;
}

function readLabels(compiled: CompiledTask, facts: Facts): { readonly [name: string]: string } {
  const labels: { [name: string]: string } = {};
  for (const [name, template] of compiled.labels) {
    if (template.names.some((used) => (facts.get(used) ?? null) === null)) {
      continue;
    }
    labels[name] = renderPlain(template, facts).slice(0, labelMax);
  }
  return labels;
}

/** Precedes the words of each author where prompts are merged, so it must not contain line breaks. */
const authorOf = (fact: Fact | null): string | null => (fact === null ? null : oneLine(fact.value).slice(0, authorMax));

function pathOf(compiled: CompiledTask, name: string): string {
  const path = compiled.paths.find(([fact]) => fact === name)?.[1];
  return path === undefined ? name : typeof path === 'string' ? path : path.join(' or ');
}

/** Breadth first, so that no depth of the value is one of ours. */
function isDeeper(value: unknown, max: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) {
      return true;
    }
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

const keyPattern = new RegExp(SessionKeySchema.pattern, 'u');
const usable = (key: string): boolean => key.length <= SessionKeySchema.maxLength && keyPattern.test(key);
