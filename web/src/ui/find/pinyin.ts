/** Pinyin of Han characters, one syllable for each; loaded when somebody searches by letters. */
import tinyPinyin from 'tiny-pinyin';
import type { Sounds } from './match';

const known = new Map<string, readonly string[]>();

export const sounds: Sounds = (name) => {
  let found = known.get(name);
  if (found === undefined) {
    found = tinyPinyin.parse(name).map(({ target }) => target);
    known.set(name, found);
  }
  return found;
};
