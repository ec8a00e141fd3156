import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

const idBytes = 16;
/** Random bytes are drawn for so many ids at once: a call for each costs more than the rest of making it. */
const idsADraw = 256;

/** Makes ids that sort by time: UUID version 7 (RFC 9562, section 5.7). */
export function uuidV7(clock: Clock): () => string {
  const pool = Buffer.alloc(idBytes * idsADraw);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    const bytes = pool.subarray(next, next + idBytes);
    next += idBytes;
    bytes.writeUIntBE(Math.max(0, Math.floor(clock.wall())), 0, 6);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}
