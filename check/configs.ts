/** Every configuration of all machines, as the programs of the checker list them. */
import { configs } from './model/configs.ts';
import { leaseConfigs, lettersConfigs } from './nodes/configs.ts';
import { slotsConfigs } from './slots/configs.ts';

export interface Named {
  readonly name: string;
  /** One line: which features it lets interact. */
  readonly about: string;
  /** Too large for every run; part of `--deep`. */
  readonly deep: boolean;
}

/** Those that drive the core. */
export const coreConfigs: readonly Named[] = [...configs, ...slotsConfigs, ...lettersConfigs];

export const everyConfig: readonly Named[] = [...coreConfigs, ...leaseConfigs];

export const named = (name: string): Named | undefined => everyConfig.find((config) => config.name === name);
