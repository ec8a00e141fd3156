/**
 * Gives the memory of a buffer back at once; its bytes are gone for every reader. The collector lets some 64 MiB of what nothing refers to
 * gather before it looks: memory that a stranger could fill.
 */
export function free(bytes: Buffer): void {
  // One that shares its memory with others is left to the collector.
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length) {
    bytes.buffer.transfer(0);
  }
}
