/** How many columns of a terminal a text takes. */

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Marks on the letter before them, and what joins or directs letters. */
const widthless = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]+$/u;
/** East Asian Width `W` and `F` (https://www.unicode.org/reports/tr11/), in whole blocks, and what is shown as a picture. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u;
// Nearly every text: no segmenter is needed for it.
const narrow = /^[\u0020-\u007e\u00a0-\u02ff]*$/;

const widthOf = (grapheme: string): number => (widthless.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1);

/** Of one line without control characters. */
export function displayWidth(text: string): number {
  if (narrow.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
  }
  return width;
}

/** The longest beginning of the text that takes at most `width` columns; no letter is parted from its marks. */
export function cutToWidth(text: string, width: number): string {
  let left = width;
  let end = 0;
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment);
    if (left < 0) {
      break;
    }
    end += segment.length;
  }
  return text.slice(0, end);
}

/** The longest end of the text that takes at most `width` columns. */
export function endOfWidth(text: string, width: number): string {
  const parts = [...graphemes.segment(text)];
  let left = width;
  let start = text.length;
  for (const { segment, index } of parts.toReversed()) {
    left -= widthOf(segment);
    if (left < 0) {
      break;
    }
    start = index;
  }
  return text.slice(start);
}

/** A change of colour or weight takes no column. */
const colours = new RegExp(String.raw`\u001b\[[0-9;]*m`, 'g');
const shownWidth = (text: string): number => displayWidth(text.replace(colours, ''));

/** Lines of at most `width` columns, broken between words; a word that is longer stays whole, so that it can be copied. */
export function wrapped(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && shownWidth(line) + 1 + shownWidth(word) > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}
