/** The generated parts of docs/events.md: each event and each value that events are made of. */
import * as parts from '../../src/protocol/events/parts.ts';
import { sessionEvents } from '../../src/protocol/events/session.ts';
import { taskEvents } from '../../src/protocol/events/task.ts';
import type { Schema } from '../../src/protocol/schema.ts';
import { mergeScene, preemptionScene } from './event-scenes.ts';
import { row, table } from './markdown.ts';

/** Values that several events have, by the title of their section. */
const values: { readonly [title: string]: Schema } = {
  Actor: parts.ActorSchema,
  'Permission action': parts.PermissionActionSchema,
  'Turn report': parts.TurnReportSchema,
  'Turn failure': parts.TurnFailureSchema,
  Usage: parts.UsageSchema,
  Cost: parts.CostSchema,
  'Bounded text': parts.BoundedTextSchema,
  'File diff': parts.FileDiffSchema,
  'Plan entry': parts.PlanEntrySchema,
  'Agent capabilities': parts.AgentCapsSchema,
};

const anchor = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

/** A link to the section of a value. A schema that only says more about it has the same members. */
function linkOf({ properties, oneOf }: Schema): string | null {
  if (oneOf !== undefined && oneOf === (parts.OutputPartSchema as Schema).oneOf) {
    return '[output part](#output-parts)';
  }
  const found = Object.entries(values).find(([, one]) => properties !== undefined && one.properties === properties);
  return found === undefined ? null : `[${found[0].toLowerCase()}](#${anchor(found[0])})`;
}

function typeOf(schema: Schema): string {
  const { type, enum: allowed, const: only, anyOf, items } = schema;
  const link = linkOf(schema);
  if (link !== null) {
    return link;
  }
  if (only !== undefined) {
    return `\`${JSON.stringify(only)}\``;
  }
  if (allowed !== undefined) {
    return allowed.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  }
  if (anyOf !== undefined) {
    return anyOf.map(typeOf).join(' or ');
  }
  if (type === 'array') {
    return `list of ${items === undefined ? 'any JSON' : typeOf(items)}`;
  }
  return type === undefined ? 'any JSON' : [type].flat().join(' or ');
}

function fieldsOf({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, member]) =>
    row(`\`${name}\`${required.includes(name) ? '' : ' (optional)'}`, typeOf(member), member.description ?? ''),
  );
  return rows.length === 0 ? 'It has no members.' : table(['field', 'type', 'meaning'], rows);
}

const json = (value: unknown): string => ['```json', JSON.stringify(value, null, 2), '```'].join('\n');

const section = (title: string, schema: Schema, example: unknown): string =>
  [`### ${title}`, schema.description ?? '', fieldsOf(schema), json(example)].join('\n\n');

const eventsOf = (events: { readonly [type: string]: Schema }): string =>
  Object.entries(events)
    .map(([type, data]) => section(`\`${type}\``, data, { type, data: data.examples?.[0] }))
    .join('\n\n');

function overview(): string {
  const rowsOf = (events: { readonly [type: string]: Schema }): string[] =>
    Object.entries(events).map(([type, { description = '' }]) =>
      row(`[\`${type}\`](#${type})`, description.split(/(?<=\.) /)[0] ?? ''),
    );
  return [
    'On the tape of a task, in the order in which a task usually meets them:',
    table(['type', 'when it comes'], rowsOf(taskEvents)),
    'On the tape of a session:',
    table(['type', 'when it comes'], rowsOf(sessionEvents)),
  ].join('\n\n');
}

export const eventParts: { readonly [part: string]: () => string } = {
  'a preemption': preemptionScene,
  'a merge': mergeScene,
  overview,
  'task events': () => eventsOf(taskEvents),
  'session events': () => eventsOf(sessionEvents),
  'output parts': () =>
    Object.entries<Schema>(parts.outputParts)
      .map(([kind, schema]) => section(`\`${kind}\` part`, schema, schema.examples?.[0]))
      .join('\n\n'),
  values: () =>
    Object.entries(values)
      .map(([title, schema]) => section(title, schema, schema.examples?.[0]))
      .join('\n\n'),
};
