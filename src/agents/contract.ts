/** The contract of agent drivers, for those who write one: see `contract/`. Not part of the daemon. */
export * from './contract/index.ts';
