/** What a command is: an entry that is read by the parser and the help, and its code. Types alone. */
import type { Run } from './call.ts';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands after it, for the help; left out: the flag takes no value. */
  readonly value?: string;
  /** Default `text`. */
  readonly kind?: 'text' | 'integer' | 'choice';
  readonly choices?: readonly string[];
  readonly many?: boolean;
  readonly what: string;
}

export interface Argument {
  readonly name: string;
  readonly optional?: boolean;
  /** Takes the rest of the words, joined by spaces. */
  readonly rest?: boolean;
}

interface Example {
  readonly line: string;
  readonly what: string;
}

export interface Command {
  readonly name: string;
  readonly group: Group;
  readonly what: string;
  /** First line of its help: what to do next. */
  readonly next: string;
  readonly args: readonly Argument[];
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  /** All that follows is for another program and is handed over unread. */
  readonly raw?: true;
  readonly run: Run;
}

export type Group =
  | 'Run it'
  | 'Give it work'
  | 'Watch'
  | 'Change what is queued or runs'
  | 'Answer agents'
  | 'Look after it';
