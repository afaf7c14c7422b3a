/** Names as they are shown: short forms, stand-ins for empty ones, and their order. */
import type { SpaceKind } from '../api/types';
import type { Translate } from './time';

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

/** A team's own name; “My space” and “Gallery” have theirs in the person's language. */
export function spaceName(t: Translate, space: { kind: SpaceKind; name: string }): string {
  return space.kind === 'team' ? space.name : t(`space.${space.kind}`);
}

/** Somebody's name; those who have left for good have none. */
export function personName(t: Translate, name: string): string {
  return name === '' ? t('people.former') : name;
}

const byPinyin = new Intl.Collator('zh-u-co-pinyin', { numeric: true });

/** The order of names in lists: Latin by letters, Han by pinyin. */
export function compareNames(one: string, other: string): number {
  return byPinyin.compare(one, other);
}
