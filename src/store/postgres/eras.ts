/**
 * Which life of the database the store works in (`sql-eras.ts`).
 *
 * Owns: the number with which new positions begin.
 */
import { invariant } from '../../core/errors.ts';
import type { EraState } from '../nodes.ts';
import { num, text, type Row } from '../row.ts';
import type { Query } from './database.ts';
import type { Statements } from './sql.ts';

/** More would be a failover in each. */
const roundsMax = 5;

export class Eras {
  #number: number;

  private constructor(number: number) {
    this.#number = number;
  }

  /** Begins an era where the newest is of another life. */
  static async open(query: Query, sql: Statements): Promise<Eras> {
    const eras = new Eras(0);
    await eras.meet(
      async () => {
        const [row] = await query(sql.era);
        return row ?? {};
      },
      async () => void (await query(sql.beginEra)),
    );
    return eras;
  }

  get number(): number {
    return this.#number;
  }

  /** The answer of a statement that tells the newest era too, with that. Asks again, after `begin`, while it is of another life. Null: no row. */
  async meet(
    ask: () => Promise<Row | undefined>,
    begin: () => Promise<void>,
  ): Promise<(EraState & { readonly row: Row }) | null> {
    for (let round = 0; round < roundsMax; round += 1) {
      const row = await ask();
      if (row === undefined) {
        return null;
      }
      if (row['now'] === true) {
        this.#number = num(row, 'era');
        return { era: text(row, 'token'), settled: row['settled'] === true, row };
      }
      await begin();
    }
    invariant(false, 'an era that has begun is found');
  }
}
