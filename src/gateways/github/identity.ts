/** Who caused an event, compared by identity: account id, login, or the GitHub App it was done through. Never by text. */
import { at } from '../shared/fields.ts';

export interface Identities {
  /** Lower case: GitHub's logins do not differ by case. */
  readonly logins: ReadonlySet<string>;
  readonly ids: ReadonlySet<number>;
  readonly apps: ReadonlySet<number>;
}

const appPattern = /^app:([0-9]+)$/;
const idPattern = /^[0-9]+$/;

/** Reads `github.bot`: numbers and texts of digits are account ids, `app:15368` an app, all else logins. */
export function readIdentities(bot: readonly (string | number)[]): Identities {
  const logins = new Set<string>();
  const ids = new Set<number>();
  const apps = new Set<number>();
  for (const one of bot) {
    const app = typeof one === 'string' ? appPattern.exec(one)?.[1] : undefined;
    if (app !== undefined) {
      apps.add(Number(app));
    } else if (typeof one === 'number' || idPattern.test(one)) {
      ids.add(Number(one));
    } else {
      logins.add(one.replace(/^@/, '').toLowerCase());
    }
  }
  return { logins, ids, apps };
}

/** The actor is the sender: who edits the bot's comment is not the bot. A comment made through its app by a person's account is the bot's. */
export function isOwn(body: unknown, own: Identities): boolean {
  const id = at(body, 'sender.id');
  const login = at(body, 'sender.login');
  if (typeof id === 'number' && own.ids.has(id)) {
    return true;
  }
  if (typeof login === 'string' && own.logins.has(login.toLowerCase())) {
    return true;
  }
  return ['comment', 'review'].some((written) => {
    const app = at(body, `${written}.performed_via_github_app.id`);
    return typeof app === 'number' && own.apps.has(app) && id === at(body, `${written}.user.id`);
  });
}

export const isBot = (body: unknown): boolean => at(body, 'sender.type') === 'Bot';
