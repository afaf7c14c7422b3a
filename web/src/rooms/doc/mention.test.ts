import { getSchema } from '@tiptap/core';
import { EditorState, TextSelection } from '@tiptap/pm/state';
import { expect, test } from 'vitest';
import { mentionAt, peopleFor, type Candidate } from './mention';
import { schemaExtensions } from './schema';

const schema = getSchema(schemaExtensions({ tick: '' }));

/** What is found with the caret at the end of a paragraph (or a block of code). */
function at(text: string, block = 'paragraph'): string | null {
  const content = text === '' ? [] : [{ type: 'text', text }];
  const doc = schema.nodeFromJSON({ type: 'doc', content: [{ type: block, content }] });
  const state = EditorState.create({ doc, selection: TextSelection.create(doc, text.length + 1) });
  return mentionAt(state)?.query ?? null;
}

test('the sign opens a menu, also the full-width one and behind Han', () => {
  expect(at('@')).toBe('');
  expect(at('Ask @lin')).toBe('lin');
  expect(at('＠林')).toBe('林');
  expect(at('请@林月')).toBe('林月');
  expect(at('(@an')).toBe('an');
});

test('addresses, other words and code are prose', () => {
  expect(at('lin@example')).toBeNull();
  expect(at('@lin and')).toBeNull();
  expect(at('no sign')).toBeNull();
  expect(at('@', 'codeBlock')).toBeNull();
  expect(at(`@${'x'.repeat(21)}`)).toBeNull();
});

test('people are found by name, user name, pinyin and initials; readers first', () => {
  const person = (id: string, name: string, reads = true): Candidate => ({ id, username: `u${id}`, name, reads });
  const people = [person('1', 'Lin'), person('2', '林月'), person('3', 'Ann Lee'), person('4', 'Lindsay', false)];
  const sounds = (name: string) => [...name].map((char) => ({ 林: 'lin', 月: 'yue' })[char] ?? char);
  const found = (query: string) => peopleFor(query, people, sounds).map(({ id }) => id);
  expect(found('lin')).toEqual(['1', '2', '4']);
  expect(found('ly')).toEqual(['2']);
  expect(found('林')).toEqual(['2']);
  expect(found('u3')).toEqual(['3']);
  expect(found('')).toEqual(['2', '3', '1', '4']);
  expect(found('zz')).toEqual([]);
});
