/** Short forms of people's names. */

const HAN = /\p{Script=Han}/u;

/**
 * Two characters that stand for a person: a Han name's last two, otherwise the first letters of
 * the first and the last word.
 */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (HAN.test(trimmed)) {
    const han = [...trimmed].filter((char) => HAN.test(char));
    return han.slice(-2).join('');
  }
  const words = trimmed.split(/[\s._-]+/u).filter((word) => word !== '');
  const first = firstChar(words[0]);
  const last = words.length > 1 ? firstChar(words[words.length - 1]) : '';
  return `${first}${last}`.toUpperCase() || '?';
}

function firstChar(word: string | undefined): string {
  return word === undefined ? '' : ([...word][0] ?? '');
}

/** A title as it is shown; an empty one is “Untitled”. */
export function shownTitle(title: string, untitled: string): string {
  return title.trim() === '' ? untitled : title;
}
