/** Which task a person means by the beginning of its id. */
import type { Client, TaskPage } from '../client/index.ts';
import { AppError } from '../core/errors.ts';
import { oneLine } from './output/paint.ts';
import { uuid } from './output/short-id.ts';

/** Of a task: printable, and no `/`. Anything else is for the daemon to refuse. */
const idText = /^[A-Za-z0-9._:-]{1,64}$/;
/** Tasks that an error names. */
const listedMax = 5;

/** The whole id; the text itself where no task, or no one task, begins so for all that this caller may see. Throws `usage` for several. */
export async function taskIdOf(client: Client, text: string): Promise<string> {
  if (uuid.test(text) || !idText.test(text)) {
    return text;
  }
  const found = await tasksNamed(client, text);
  const exact = found.find(({ id }) => id === text);
  const [one] = found;
  if (exact !== undefined || one === undefined) {
    return text;
  }
  if (found.length > 1) {
    const listed = found.slice(0, listedMax).map(({ id, title }) => `  ${id}  ${oneLine(title, 40)}`);
    const more = found.length > listedMax ? ['  …'] : [];
    throw new AppError({
      code: 'usage',
      message: `several tasks have an id that begins with ${text}:\n${[...listed, ...more].join('\n')}`,
      hint: 'Give more of the id.',
    });
  }
  return one.id;
}

async function tasksNamed(client: Client, prefix: string) {
  try {
    // A page may be empty where others follow: the daemon looks at a part of the tasks for each.
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: TaskPage = await client.tasks({
        prefix,
        limit: listedMax + 1,
        ...(cursor === undefined ? {} : { cursor }),
      });
      if (page.items.length > 0) {
        return page.items;
      }
      cursor = page.cursor;
    }
    return [];
  } catch (error) {
    // A token for some sessions may not look among all: it gives whole ids.
    if (error instanceof AppError && error.code === 'forbidden') {
      return [];
    }
    throw error;
  }
}
