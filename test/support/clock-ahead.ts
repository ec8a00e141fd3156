/** `--import` of this file: the wall clock of the process is an hour ahead. Its monotonic clocks are not. */
const aheadMs = 3_600_000;
const RealDate = Date;

class AheadDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [AheadDate.now()] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

globalThis.Date = AheadDate as DateConstructor;
