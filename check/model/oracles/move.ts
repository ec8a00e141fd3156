/** One transition that has an input, as every oracle looks at it: a function of the view before it and of the input. */
import type { Input } from '../../../src/core/model/inputs.ts';
import type { StepResult } from '../../../src/core/model/replies.ts';
import type { Config } from '../config.ts';
import type { View } from '../world.ts';

export interface Move {
  readonly config: Config;
  /** The view just before; its session has not moved. Whose end is asked for is noted already. */
  readonly world: View;
  readonly input: Input;
  readonly result: StepResult;
}
