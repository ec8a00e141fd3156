/** From the bytes of a delivery to its JSON. Called only after the signature over those bytes has been verified. */
import { isUtf8 } from 'node:buffer';
import { isObject, type JsonObject } from './fields.ts';

/**
 * The bytes as a string that has the same bytes again, or null when they are not UTF-8.
 * A decoder that puts U+FFFD for broken bytes would make one text of different bodies.
 */
function exactText(bytes: Uint8Array): string | null {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : null;
}

type Parsed =
  | { readonly kind: 'object'; readonly body: JsonObject; readonly text: string }
  | { readonly kind: 'bad'; readonly code: 'bad_json' | 'unsupported_media_type'; readonly detail: string };

const bad = (detail: string): Parsed => ({ kind: 'bad', code: 'bad_json', detail });

/** `form`: also read `application/x-www-form-urlencoded` with the JSON in its field `payload`, as GitHub sends it on request. */
export function parseBody(bytes: Uint8Array, contentType: string | undefined, form: boolean): Parsed {
  const text = exactText(bytes);
  if (text === null) {
    return bad('The body is signed rightly and is not UTF-8.');
  }
  const type = (contentType ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json' || type.endsWith('+json')) {
    return parseJson(text, text);
  }
  if (form && type === 'application/x-www-form-urlencoded') {
    const payload = new URLSearchParams(text).get('payload');
    return payload === null ? bad('The form has no field `payload`.') : parseJson(payload, text);
  }
  return {
    kind: 'bad',
    code: 'unsupported_media_type',
    detail: `The body is declared as ${JSON.stringify(type.slice(0, 100))}.`,
  };
}

/** `text` is the whole body, of which `json` may be a field. */
function parseJson(json: string, text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return bad('The body is signed rightly and is not JSON.');
  }
  return isObject(value) ? { kind: 'object', body: value, text } : bad('The body is JSON, but no object.');
}
