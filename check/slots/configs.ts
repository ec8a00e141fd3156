/** The configurations of the slots. */
import type { SlotsConfig } from './world.ts';

const usual: Omit<SlotsConfig, 'name' | 'about'> = {
  deep: false,
  inFolder: [true, true, false],
  limits: { maxAgents: 2, maxStarting: 2, maxPassedOver: 2 },
  lags: false,
  restless: false,
  keeping: false,
  waitsReady: false,
  foreign: false,
  closes: false,
};

const once = { maxAgents: 2, maxStarting: 2, maxPassedOver: 1 };

export const slotsConfigs: readonly SlotsConfig[] = [
  {
    ...usual,
    name: 'slots',
    about: 'three sessions, two slots, one folder for two of them, both lanes',
  },
  {
    ...usual,
    name: 'slots-restless',
    about: 'the same with agents that die, claims that are withdrawn or change their lane, and a daemon that closes',
    limits: once,
    restless: true,
    closes: true,
  },
  {
    ...usual,
    name: 'slots-keeping',
    about: 'agents that work in the background, and turns that their session protects',
    limits: once,
    keeping: true,
  },
  {
    ...usual,
    name: 'slots-foreign',
    about: 'another process takes the folder now and then',
    limits: once,
    foreign: true,
  },
  {
    ...usual,
    name: 'slots-single',
    about: 'three sessions without a folder for one slot',
    inFolder: [false, false, false],
    limits: { maxAgents: 1, maxStarting: 1, maxPassedOver: 2 },
    waitsReady: true,
  },
  {
    ...usual,
    name: 'slots-free',
    about: 'three sessions without a folder for two slots',
    inFolder: [false, false, false],
    limits: once,
  },
  {
    ...usual,
    name: 'slots-starting',
    about: 'two sessions, two slots, one start at a time',
    inFolder: [false, false],
    limits: { maxAgents: 2, maxStarting: 1, maxPassedOver: 1 },
    lags: true,
    restless: true,
  },
  {
    ...usual,
    name: 'slots-shared',
    about: 'three sessions of one folder, and slots enough for all',
    inFolder: [true, true, true],
    limits: { maxAgents: 3, maxStarting: 3, maxPassedOver: 1 },
    waitsReady: true,
  },
  {
    ...usual,
    name: 'slots-lags',
    about: 'two sessions of one folder, and slots that learn late what their agents do',
    inFolder: [true, true],
    limits: { maxAgents: 1, maxStarting: 1, maxPassedOver: 2 },
    lags: true,
    keeping: true,
    waitsReady: true,
  },
];

export const slotsConfigNamed = (name: string): SlotsConfig | undefined =>
  slotsConfigs.find((config) => config.name === name);
