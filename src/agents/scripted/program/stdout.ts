/** The scripted agent's stdout: whole lines, several lines in one write, or one line in pieces. */
import type { FromAgent } from '../../process/wire.ts';

export class Stdout {
  #held: string[] | null = null;

  say(message: FromAgent): void {
    this.raw(`${JSON.stringify(message)}\n`);
  }

  raw(bytes: string | Uint8Array): void {
    if (this.#held !== null && typeof bytes === 'string') {
      this.#held.push(bytes);
    } else {
      process.stdout.write(bytes);
    }
  }

  /** From now on nothing is written until `release`, which writes all of it at once. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held?.join('') ?? '';
    this.#held = null;
    if (held !== '') {
      process.stdout.write(held);
    }
  }

  /** A line in three writes with a pause between them, so that each is read alone. */
  async sayInPieces(message: object): Promise<void> {
    const line = `${JSON.stringify(message)}\n`;
    const third = Math.ceil(line.length / 3);
    for (let at = 0; at < line.length; at += third) {
      process.stdout.write(line.slice(at, at + third));
      if (at + third >= line.length) {
        return;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  /** A line of so many bytes, as fast as it is read; it is never in memory as a whole. */
  async hugeLine(bytes: number): Promise<void> {
    const piece = 'x'.repeat(64 * 1024);
    for (let left = bytes; left > 0; left -= piece.length) {
      const room = process.stdout.write(left < piece.length ? piece.slice(0, left) : piece);
      if (!room) {
        await new Promise((resolve) => {
          process.stdout.once('drain', resolve);
        });
      }
    }
    process.stdout.write('\n');
  }
}
