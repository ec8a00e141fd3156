/**
 * What a real program plays on a fake model, and what it cannot be made to do. A subject adds how its program is asked for a
 * tool, and names what differs.
 */
import type { DriverSubject, Unable } from '../../../src/testing/agents/index.ts';

const unseen: Unable = { unable: 'the real program cannot be made to do it' };

type Prompts = DriverSubject['prompts'];

export function realPrompts(own: Pick<Prompts, 'tool' | 'ask'> & Partial<Prompts>): Prompts {
  return {
    answer: '[[slow:4,2]]',
    forever: '[[slow:5000,5]]',
    'ack-late': unseen,
    'ack-never': unseen,
    'ack-twice': unseen,
    'ack-after-result': unseen,
    'ack-before-result': unseen,
    'ack-with-result': unseen,
    'ack-none': unseen,
    'no-result': unseen,
    deaf: unseen,
    'split-result': unseen,
    merged: unseen,
    empty: '[[text:]]',
    fail: '[[status:400:invalid_request_error]]',
    'result-twice': unseen,
    die: unseen,
    'die-half': unseen,
    'hang-up': unseen,
    garbage: unseen,
    'huge-line': unseen,
    stderr: unseen,
    unsolicited: unseen,
    background: unseen,
    stubborn: unseen,
    blocked: unseen,
    grandchild: unseen,
    'grandchild-outside': unseen,
    history: { unable: 'a fake model tells nothing of a conversation; see the tests beside' },
    'ask-withdrawn': unseen,
    hang: '[[hang0]]',
    silent: '[[hang]]',
    'api-400': '[[status:400:invalid_request_error]]',
    'api-401': '[[status:401:authentication_error]]',
    'api-429': '[[status:429:rate_limit_error:1]]',
    'api-500': '[[status:500:api_error]]',
    'api-529': '[[status:529:overloaded_error]]',
    'api-drop': '[[drop]]',
    'api-429-once': '[[flaky:1:429:rate_limit_error:1]]',
    'odd-request': unseen,
    ...own,
  };
}
