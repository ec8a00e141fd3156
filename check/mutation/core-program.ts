/**
 * The core as the compiler sees it: the syntax trees and types that mutants are made from, and whether a mutant compiles.
 * Owns the process of the compiler until it is closed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from 'typescript/unstable/ast';
import type { Checker, Project, Snapshot } from 'typescript/unstable/sync';
import { API as Compiler } from 'typescript/unstable/sync';

/** What a mutant may leave unused or unreachable. */
const harmless: ReadonlySet<number> = new Set([6133, 6138, 6192, 6196, 6198, 6199, 7027]);

export class CoreProgram implements Disposable {
  readonly #compiler: Compiler;
  readonly #directory: string;
  readonly #instead = new Map<string, string>();
  readonly #project: Project;

  /** `directory`: the one of the core's `tsconfig.json`. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#compiler = new Compiler({ cwd: directory, fs: { readFile: (name) => this.#instead.get(name) } });
    this.#project = this.#projectOf(this.#compiler.updateSnapshot({ openProjects: [this.#config] }));
  }

  get #config(): string {
    return join(this.#directory, 'tsconfig.json');
  }

  #projectOf(snapshot: Snapshot): Project {
    const project = snapshot.getProject(this.#config);
    if (project === undefined) {
      throw new Error(`the compiler does not open ${this.#config}`);
    }
    return project;
  }

  get checker(): Checker {
    return this.#project.checker;
  }

  /** Below the directory, in order. */
  get files(): readonly string[] {
    const start = `${this.#directory}/`;
    return this.#project.rootFiles
      .filter((name) => name.startsWith(start))
      .map((name) => name.slice(start.length))
      .toSorted();
  }

  tree(file: string): SourceFile {
    const tree = this.#project.program.getSourceFile(join(this.#directory, file));
    if (tree === undefined) {
      throw new Error(`the compiler does not know ${file}`);
    }
    return tree;
  }

  text(file: string): string {
    return readFileSync(join(this.#directory, file), 'utf8');
  }

  /** Whether the core compiles with this text in place of the file. The trees and types stay those of the core itself. */
  compiles(file: string, text: string): boolean {
    const path = join(this.#directory, file);
    const changed = [...new Set([...this.#instead.keys(), path])];
    this.#instead.clear();
    this.#instead.set(path, text);
    using snapshot = this.#compiler.updateSnapshot({ fileChanges: { changed } });
    const { program } = this.#projectOf(snapshot);
    const isFine = (found: readonly { readonly code: number }[]): boolean =>
      found.every(({ code }) => harmless.has(code));
    // Most mutants that do not compile have their error in the file itself.
    return (
      isFine(program.getSyntacticDiagnostics(path)) &&
      isFine(program.getSemanticDiagnostics(path)) &&
      isFine(program.getSemanticDiagnostics())
    );
  }

  [Symbol.dispose](): void {
    this.#compiler.close();
  }
}
