/** Mentioning people: when the menu is open, whom it offers, and what it writes. */
import type { Editor } from '@tiptap/core';
import type { EditorState } from '@tiptap/pm/state';
import { compareNames } from '../../i18n/names';
import { match, type Sounds } from '../../ui/find/match';

export interface At {
  /** Position of the sign that opened the menu. */
  from: number;
  to: number;
  query: string;
}

const QUERY_CHARS_MAX = 20;
const OFFERED_MAX = 8;

/** `@` or `＠` and what was typed behind it, if the caret is there; not within an address. */
export function mentionAt(state: EditorState): At | null {
  const { selection } = state;
  const { $from } = selection;
  if (!selection.empty || !$from.parent.isTextblock || $from.parent.type.spec.code === true) return null;
  const before = $from.parent.textBetween(0, $from.parentOffset, undefined, '\ufffc');
  const query = /(?:^|[^a-z0-9_.+-])[@＠]([^\s@＠]*)$/iu.exec(before)?.[1];
  if (query === undefined || query.length > QUERY_CHARS_MAX) return null;
  return { from: $from.pos - query.length - 1, to: $from.pos, query };
}

export interface Candidate {
  id: string;
  username: string;
  name: string;
  /** Whether they can open the document. */
  reads: boolean;
}

/** Those whom the query fits best, people who can open the document first; by name, pinyin and initials. */
export function peopleFor(query: string, people: readonly Candidate[], sounds: Sounds | null): Candidate[] {
  const scored = people.flatMap((person) => {
    const found = [person.name, person.username].map((name) => match(query, name, sounds)?.score ?? -1);
    const score = Math.max(...found);
    return score < 0 ? [] : [{ person, score }];
  });
  scored.sort(
    (one, other) =>
      Number(other.person.reads) - Number(one.person.reads) ||
      other.score - one.score ||
      compareNames(one.person.name, other.person.name),
  );
  return scored.slice(0, OFFERED_MAX).map(({ person }) => person);
}

/** Puts the name in the place of the sign; a space follows it where words are set apart by one. */
export function insertMention(editor: Editor, { from, to }: At, { id, name }: Candidate): void {
  const mention = { type: 'mention', attrs: { id, label: name } };
  const space = /\p{Script=Han}$/u.test(name) ? [] : [{ type: 'text', text: ' ' }];
  editor.chain().focus().insertContentAt({ from, to }, [mention, ...space]).run();
}
