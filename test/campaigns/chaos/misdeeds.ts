/** Every way to misbehave that the chaos run knows: what the scripted agent is told, and which row of the corpus it plays. */

export interface Misdeed {
  readonly name: string;
  readonly rows: string;
  /** Directives for the turn; null: it misbehaves as it starts, so that no prompt ever reaches it. */
  readonly prompt: string | null;
}

const endless = '[[forever:50]]';

export const misdeeds: readonly Misdeed[] = [
  { name: 'dies with an error', rows: 'T10 S11', prompt: '[[text:a]][[die:3]]' },
  { name: 'dies by a signal', rows: 'S02', prompt: '[[text:a]][[die:SIGKILL]]' },
  { name: 'ends in half a line', rows: 'S07', prompt: '[[half]]' },
  { name: 'leaves a grandchild on its pipe and goes', rows: 'S03', prompt: '[[leave:0]]' },
  { name: 'streams while a grandchild in its group holds the pipe', rows: 'S03', prompt: `[[grandchild]]${endless}` },
  {
    name: 'streams while a grandchild outside holds the pipe',
    rows: 'S03 S04',
    prompt: `[[grandchild:own]]${endless}`,
  },
  { name: 'ignores SIGTERM and the end of stdin', rows: 'S04', prompt: `[[ignore-term]][[ignore-eof]]${endless}` },
  { name: 'has a child that ignores SIGTERM', rows: 'S04', prompt: `[[fork:ignore]]${endless}` },
  { name: 'forks twice, into a session of its own', rows: 'S04', prompt: `[[fork:double]]${endless}` },
  { name: 'spins', rows: 'S05', prompt: '[[text:a]][[block]]' },
  { name: 'waits for ever without a word', rows: 'S05', prompt: '[[text:a]][[wedge]]' },
  { name: 'is stopped', rows: 'S04', prompt: '[[text:a]][[stop]]' },
  { name: 'says nothing', rows: 'S13', prompt: '[[silent]]' },
  { name: 'floods stderr', rows: 'S06', prompt: '[[stderr:10000000]][[text:done]]' },
  { name: 'writes a line of 24 MB', rows: 'S07', prompt: '[[text:a]][[hugeline:24000000]][[text:b]]' },
  { name: 'writes garbage', rows: 'S07', prompt: '[[garbage]][[text:done]]' },
  { name: 'hangs up and lives', rows: 'S02 C37', prompt: '[[text:a]][[hang-up]]' },
  { name: 'reads nothing any more', rows: 'C10', prompt: `[[read-no-more]]${endless}` },
  { name: 'is deaf to interrupts', rows: 'C10 C38', prompt: `[[deaf]]${endless}` },
  { name: 'never acknowledges', rows: 'C10', prompt: `[[ack:never]]${endless}` },
  { name: 'acknowledges after the result', rows: 'C10', prompt: `[[ack:after-result:50]]${endless}` },
  { name: 'sends no result', rows: 'C10', prompt: '[[text:a]][[noresult]]' },
  { name: 'sends two results', rows: 'C11', prompt: '[[text:a]][[twice]]' },
  { name: 'takes turns that nobody asked for', rows: 'C11', prompt: '[[text:a]][[unsolicited:5,50]]' },
  { name: 'never ends a turn that nobody asked for', rows: 'C11', prompt: '[[text:a]][[unsolicited:5,-1]]' },
  { name: 'is late with its started', rows: 'C05', prompt: `[[late-started:300]]${endless}` },
  { name: 'fails', rows: 'S13', prompt: '[[fail:overloaded]]' },
  { name: 'dies as it starts', rows: 'S11', prompt: null },
  { name: 'never becomes ready', rows: 'S09', prompt: null },
  { name: 'says nonsense as it starts', rows: 'S07', prompt: null },
];

/** For the scripted agent's `--script`: sessions that contain these words begin badly. */
export const script = {
  starts: [
    { match: 'dies-at-start', do: 'die' },
    { match: 'never-ready', do: 'never' },
    { match: 'nonsense-at-start', do: 'garbage' },
  ],
};

const starts: { readonly [name: string]: string } = {
  'dies as it starts': 'dies-at-start',
  'never becomes ready': 'never-ready',
  'says nonsense as it starts': 'nonsense-at-start',
};

/** The session for a misdeed: the bad beginners need keys of their own. */
export const sessionFor = (misdeed: Misdeed, number: number): string =>
  `chaos:${number}${misdeed.prompt === null ? `:${starts[misdeed.name] ?? ''}` : ''}`;
