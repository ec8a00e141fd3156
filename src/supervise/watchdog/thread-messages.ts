/** What the main thread and its watchdog thread say to each other. */
import type { AgentFinding } from './compose.ts';
import type { HangTrigger } from '../../core/model/hang.ts';
import type { ToDaemon } from '../launcher/control-messages.ts';
import type { HangSummary } from './report.ts';

/** Handed over at the start. */
export interface ThreadData {
  readonly memory: SharedArrayBuffer;
  /** Where reports go. */
  readonly folder: string;
  readonly version: string;
  /** Descriptor of the control socket; null: there is no launcher. */
  readonly control: number | null;
  /** The daemon's cookie: what carries it ends with the daemon; null: nothing does. */
  readonly daemonId: string | null;
  readonly settings: WatchSettings;
}

/** What the configuration says, once it is known. */
export interface WatchSettings {
  /** Silence of the main loop that counts as a block. */
  readonly hangMs: number;
  /** Values that no report may show. */
  readonly secrets: readonly string[];
  /** A hang is told on standard error, as a line of the log. */
  readonly log: boolean;
}

export type ToThread =
  | { readonly type: 'settings'; readonly settings: WatchSettings }
  | {
      readonly type: 'report';
      readonly id: number;
      readonly trigger: HangTrigger;
      readonly agent: AgentFinding | null;
    }
  /** What is live now stands in the shared memory. */
  | { readonly type: 'looked' };

export type FromThread =
  | { readonly type: 'ready' }
  /** The launcher's word. */
  | { readonly type: 'end'; readonly why: string }
  | {
      readonly type: 'reported';
      readonly id: number;
      readonly report: HangSummary | null;
      readonly problem: string | null;
    }
  /** The launcher's, for the main loop. */
  | Extract<ToDaemon, { readonly type: 'ping' | 'frozen' | 'thawed' }>
  /** Asks for `looked`. */
  | { readonly type: 'look' }
  /** Noticed by itself; told once the main loop runs again. */
  | { readonly type: 'noticed'; readonly report: HangSummary }
  | { readonly type: 'resumed'; readonly id: string; readonly afterMs: number };
