/** Whether a child can be given its pipes, known before anything is made for it. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** Both ends of the pipe on which the system tells that the program was not executed. */
const ownPipe = 2;

/**
 * Throws EMFILE or ENFILE where a child with so many pipes has not enough descriptors. Node 24 keeps our ends of the pipes open for ever
 * when the last descriptors are missing (`spawn` returns at EMFILE and closes nothing), so such a spawn must not be tried: each
 * one took three more.
 */
export function checkDescriptors(pipes: number): void {
  const taken: number[] = [];
  try {
    while (taken.length < 2 * pipes + ownPipe) {
      taken.push(openSync(devNull, 'r'));
    }
  } finally {
    for (const descriptor of taken) {
      closeSync(descriptor);
    }
  }
}
