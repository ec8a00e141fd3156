/** The side of a program of the benchmark: options in, hello out, requests answered, gone when its parent is. */
export const options = <T>(): T => JSON.parse(process.argv[2] ?? '{}') as T;

export function serve(
  hello: object,
  answer: (message: { readonly [name: string]: unknown }) => Promise<object> | object,
  end: () => Promise<void> | void,
): void {
  process.on('message', (message) => {
    void (async () => process.send?.(await answer(message as { readonly [name: string]: unknown })))();
  });
  process.once('disconnect', () => {
    void (async () => {
      await end();
      process.exit(0);
    })();
  });
  process.send?.(hello);
}
