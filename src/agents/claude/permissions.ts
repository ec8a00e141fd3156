/** What a permission request of Claude Code is about, in the words of all dialects. */
import type { RequestedAction } from '../../core/model/permission.ts';
import { judged, pathsIn } from '../shared/judge.ts';
import { type Fields, fieldsAt, textAt } from '../child/fields.ts';
import { titleOf, toolNamed } from './tools.ts';

/**
 * `folder`: the session's. Claude Code reads inside of it without a request. So a read that it does request leads out of the
 * folder, and so may an edit: that is not what a policy means by `read` and `edit`.
 */
export function actionOf(body: Fields, folder: string): RequestedAction {
  const tool = textAt(body, 'tool_name') ?? '';
  const input = fieldsAt(body, 'input');
  const known = toolNamed(tool);
  const action = { kind: known?.kind ?? 'other', tool, title: titleOf(tool, input) };
  if (known?.file !== true) {
    return action;
  }
  // The pattern of `Glob` is a path; that of `Grep` is not.
  const pattern = tool === 'Glob' ? textAt(input, 'pattern') : null;
  const named = pathsIn(input);
  return leadsOut(body) || named === null
    ? { ...action, kind: 'other' }
    : judged(action, folder, pattern === null ? named : [...named, pattern]);
}

function leadsOut(body: Fields): boolean {
  const reason = textAt(body, 'decision_reason_type');
  return reason === 'workingDir' || reason === 'safetyCheck';
}

/** The request without what only another answer needs. The runtime bounds it, as that of every driver. */
export function detailOf(body: Fields): unknown {
  const { subtype: _, permission_suggestions: __, ...rest } = body;
  return rest;
}
