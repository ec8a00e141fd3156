/** Every configuration of both machines, as the programs of the checker list them. */
import { configs } from './model/configs.ts';
import { slotsConfigs } from './slots/configs.ts';

export interface Named {
  readonly name: string;
  /** One line: which features it lets interact. */
  readonly about: string;
  /** Too large for every run; part of `--deep`. */
  readonly deep: boolean;
}

export const everyConfig: readonly Named[] = [...configs, ...slotsConfigs];

export const named = (name: string): Named | undefined => everyConfig.find((config) => config.name === name);
