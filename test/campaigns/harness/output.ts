/** What a campaign prints: progress for a person, and tables. */

/** On a terminal each line replaces the one before; elsewhere only every n-th is printed. Returns a function that ends the line. */
export function progress(every: number): { readonly say: (line: string) => void; readonly end: () => void } {
  const terminal = process.stderr.isTTY === true;
  let said = 0;
  return {
    say: (line) => {
      said += 1;
      if (terminal) {
        process.stderr.write(`\r${line}   `);
      } else if (said % every === 0) {
        process.stderr.write(`${line}\n`);
      }
    },
    end: () => {
      if (terminal && said > 0) {
        process.stderr.write('\n');
      }
    },
  };
}

/** One line of a table; the last cells may be longer than their widths. */
export const tableLine = (cells: readonly string[], widths: readonly number[]): string =>
  `${cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd()}\n`;

export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return rows.map((cells) => tableLine(cells, widths)).join('');
}
