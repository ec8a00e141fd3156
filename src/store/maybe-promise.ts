/** A store may answer at once or later (`store/6`). */
export type MaybePromise<T> = T | Promise<T>;
