/** How well what was typed fits a name: whole words before letters here and there. */

export interface Match {
  /** The higher, the better. */
  score: number;
  /** The part of the name to mark, in UTF-16 units; null if it is in several parts. */
  at: readonly [number, number] | null;
}

/** How a name sounds: the syllables of its Han characters, other text as it is. */
export type Sounds = (name: string) => readonly string[];

/** Null: it does not fit. `sounds` is there once pinyin is loaded. */
export function match(typed: string, name: string, sounds: Sounds | null): Match | null {
  const query = plain(typed);
  const text = name.toLowerCase();
  if (query === '') return { score: 0, at: null };
  const index = text.indexOf(query);
  if (index === 0) return { score: 100, at: [0, query.length] };
  if (index > 0) return { score: /[\p{L}\p{N}]/u.test(text[index - 1] ?? '') ? 70 : 80, at: [index, index + query.length] };
  const spoken = sounds === null ? null : matchSound(query.replace(/\s+/g, ''), sounds(name));
  if (spoken !== null) return { score: spoken, at: null };
  return inOrder(query, text) ? { score: 10, at: null } : null;
}

function plain(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

/** Initials or pinyin, from the beginning of any syllable on. */
function matchSound(query: string, syllables: readonly string[]): number | null {
  const lower = syllables.map((syllable) => syllable.toLowerCase());
  for (let from = 0; from < lower.length; from += 1) {
    const rest = lower.slice(from);
    const initials = rest.map((syllable) => syllable[0] ?? '').join('');
    if (initials.startsWith(query)) return from === 0 ? 60 : 50;
    if (rest.join('').startsWith(query)) return from === 0 ? 55 : 45;
  }
  return null;
}

/** Whether all letters occur in this order; from three on, for two fit nearly everything. */
function inOrder(query: string, text: string): boolean {
  const letters = [...query.replace(/\s+/g, '')];
  if (letters.length < 3) return false;
  let at = 0;
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
