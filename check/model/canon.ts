/**
 * Writes down a session with its slots, and inputs to it, so that the same bytes mean the same thing up to names. Every field
 * is written, those that are added to the core later too: a number that `tokens.ts` does not list is written as it is.
 *
 * Left out are what all states of a configuration share, the shape of the trees, and every `seq`, which only counts.
 */
import { invariant } from '../../src/core/errors.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Tree } from '../../src/core/tree.ts';
import { treeSize } from '../../src/core/tree.ts';
import type { Writer } from '../engine/index.ts';
import type { Config } from './config.ts';
import type { Runner, View } from './world.ts';
import { slotId } from './world.ts';
import { type TokenKind, subjectKind, tokenKind } from './tokens.ts';

const leftOut: ReadonlySet<string> = new Set(['key', 'limits', 'seq']);
/** A slot's id and its generation are names. */
const leftOutOfSlots: ReadonlySet<string> = new Set(['id', 'generation']);

const tags = {
  word: 0,
  integer: 1,
  number: 2,
  token: 3,
  position: 4,
  text: 5,
  slot: 6,
  next: 7,
  list: 8,
  tree: 9,
  object: 10,
};
const words = { null: 0, undefined: 1, false: 2, true: 3 };

type Data = Readonly<Record<string, unknown>>;

/** The field names of an object, in their order. Two objects of one shape are told apart by their values alone. */
interface Shape {
  readonly names: readonly string[];
  /** Null: left out. */
  readonly fields: readonly (Field | null)[];
}

/** One place in the data, and what has been met there: so that names of fields need not be written, nor looked up each time. */
class Field {
  readonly kind: TokenKind | null;
  readonly isSubject: boolean;
  readonly shapes: Shape[] = [];
  readonly #name: string;
  readonly #without: ReadonlySet<string>;
  #entry: Field | null = null;
  #key: Field | null = null;

  constructor(name: string, of = '', without = leftOut) {
    this.#name = name;
    this.#without = without;
    // Calls are numbered one by one, and each has its own model.
    this.kind = of === 'call' ? null : tokenKind(name);
    this.isSubject = name === 'subject';
  }

  /** The entries of a list or of a tree. */
  get entry(): Field {
    return (this.#entry ??= new Field(''));
  }

  /** The keys of a tree. */
  get key(): Field {
    return (this.#key ??= new Field(this.#name));
  }

  /** Its index among the shapes that were met here. */
  shapeOf(data: Data): number {
    for (let index = 0; index < this.shapes.length; index += 1) {
      if (isOf(this.shapes[index]?.names ?? [], data)) {
        return index;
      }
    }
    const names = Object.keys(data);
    const fields = names.map((name) => (this.#without.has(name) ? null : new Field(name, this.#name)));
    return this.shapes.push({ names, fields }) - 1;
  }
}

function isOf(names: readonly string[], data: Data): boolean {
  let index = 0;
  for (const name in data) {
    if (names[index] !== name) {
      return false;
    }
    index += 1;
  }
  return index === names.length;
}

/** Values of one view by their names: a name is the place in the list. */
interface Names {
  readonly epoch: number[];
  readonly turn: number[];
  readonly incarnation: number[];
  /** Of the open tasks, in order, and the last one given. */
  readonly admission: number[];
  /** Of the open tasks, in order. */
  readonly position: number[];
  /** By slot: the id of its task, and the id of the one after it. */
  readonly ids: readonly string[];
  readonly nextIds: readonly string[];
}

export class Canon {
  readonly #config: Config;
  readonly #out: Writer;
  /** Texts by their number, in the order in which the run meets them. */
  readonly #texts = new Map<string, number>();
  readonly #session = new Field('');
  readonly #slot = new Field('', '', leftOutOfSlots);
  readonly #runner = new Field('');
  readonly #input = new Field('');
  #names: Names = { epoch: [], turn: [], incarnation: [], admission: [], position: [], ids: [], nextIds: [] };

  constructor(config: Config, out: Writer) {
    this.#config = config;
    this.#out = out;
  }

  /** Returns the names that it gave. */
  view({ session, slots }: View): Names {
    const admission = [session.admissions];
    const position: number[] = [];
    eachEntry(session.tasks.root, (_, task) => {
      admission.push(task.admission);
      position.push(task.position);
    });
    this.#names = {
      epoch: [],
      turn: [],
      incarnation: [],
      admission: admission.sort((a, b) => a - b),
      position: position.sort((a, b) => a - b),
      ids: slots.map((slot) => slot.id),
      nextIds: slots.map((slot, index) => slotId(this.#config.slots[index]?.name ?? '', slot.generation)),
    };
    this.#value(session, this.#session);
    for (const slot of slots) {
      this.#value(slot, this.#slot);
    }
    return this.#names;
  }

  /** What stands beside the view that was written last, with its names. */
  runners(runners: readonly Runner[]): void {
    for (const runner of runners) {
      this.#value(runner, this.#runner);
    }
  }

  /** With the names of a view: a token that stands in it has the same name here, and any other has none of its names. */
  input(input: Input, names: Names): void {
    this.#names = names;
    const { epoch, turn, incarnation } = names;
    const known = [epoch.length, turn.length, incarnation.length] as const;
    this.#value(input, this.#input);
    [epoch.length, turn.length, incarnation.length] = known;
  }

  /** The tag and the value in one byte, if the value is as small as most are. */
  #put(tag: number, value: number): void {
    if (value < 15) {
      this.#out.byte((tag << 4) | value);
    } else {
      this.#out.byte((tag << 4) | 15);
      this.#out.uint(value);
    }
  }

  #value(value: unknown, field: Field): void {
    if (typeof value === 'string') {
      this.#text(value);
    } else if (typeof value === 'number') {
      this.#number(value, field.kind);
    } else if (typeof value === 'boolean') {
      this.#put(tags.word, value ? words.true : words.false);
    } else if (value === null) {
      this.#put(tags.word, words.null);
    } else if (value === undefined) {
      this.#put(tags.word, words.undefined);
    } else {
      invariant(typeof value === 'object', 'sessions and inputs are plain data');
      this.#object(value, field);
    }
  }

  #number(value: number, kind: TokenKind | null): void {
    if (kind === null) {
      this.#plain(value);
      return;
    }
    const names = this.#names[kind];
    const known = names.indexOf(value);
    if (kind !== 'position' && kind !== 'admission') {
      this.#put(tags.token, known < 0 ? names.push(value) - 1 : known);
    } else if (known < 0) {
      // Of an index that disagrees with its tasks.
      this.#plain(value);
    } else {
      this.#put(tags.position, known);
    }
  }

  #plain(value: number): void {
    if (Number.isInteger(value) && value >= 0) {
      this.#put(tags.integer, value);
    } else {
      this.#put(tags.number, this.#textNumber(String(value)));
    }
  }

  #text(value: string): void {
    const slot = this.#names.ids.indexOf(value);
    if (slot >= 0) {
      this.#put(tags.slot, slot);
      return;
    }
    const next = this.#names.nextIds.indexOf(value);
    this.#put(next >= 0 ? tags.next : tags.text, next >= 0 ? next : this.#textNumber(value));
  }

  #textNumber(value: string): number {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      return known;
    }
    this.#texts.set(value, this.#texts.size);
    return this.#texts.size - 1;
  }

  #object(value: object, field: Field): void {
    if (Array.isArray(value)) {
      this.#put(tags.list, value.length);
      for (const entry of value) {
        this.#value(entry, field.entry);
      }
    } else if (isTree(value)) {
      this.#put(tags.tree, treeSize(value));
      eachEntry(value.root, (key, entry) => {
        this.#value(key, field.key);
        this.#value(entry, field.entry);
      });
    } else {
      this.#fields(value as Data, field);
    }
  }

  #fields(data: Data, of: Field): void {
    const shape = of.shapeOf(data);
    this.#put(tags.object, shape);
    const fields = of.shapes[shape]?.fields ?? [];
    let index = 0;
    for (const name in data) {
      const field = fields[index];
      index += 1;
      if (field === null || field === undefined) {
        continue;
      }
      const value = data[name];
      if (field.isSubject && typeof value === 'number') {
        this.#number(value, subjectKind(String(data['name'])));
      } else {
        this.#value(value, field);
      }
    }
  }
}

const isTree = (value: object): value is Tree<unknown, unknown> => 'root' in value && 'compare' in value;

/** As `treeEntries`, without a generator, which would cost more than all that is written. */
function eachEntry<K, V>(node: Tree<K, V>['root'], visit: (key: K, value: V) => void): void {
  if (node !== null) {
    eachEntry(node.left, visit);
    visit(node.key, node.value);
    eachEntry(node.right, visit);
  }
}
