/**
 * Whether this process has a terminal to lose. Node gives back every signal that its parent had it ignore, so SIGHUP after `nohup` cannot
 * be told by that. But `nohup` takes the terminal from the standard streams: from all three in GNU's, from the two for
 * output in the others.
 */
export function hasTerminal(platform: NodeJS.Platform = process.platform): boolean {
  const { isatty } = process.getBuiltinModule('node:tty');
  return (platform === 'linux' ? [0, 1, 2] : [1, 2]).some((fd) => isatty(fd));
}
