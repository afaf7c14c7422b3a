import { getSchema } from '@tiptap/core';
import { EditorState, TextSelection } from '@tiptap/pm/state';
import { expect, test } from 'vitest';
import { schemaExtensions } from './schema';
import { blocksFor, slashAt } from './slash';

const schema = getSchema(schemaExtensions({ tick: '' }));

function typed(text: string, block = 'paragraph') {
  const content = text === '' ? [] : [schema.text(text)];
  const doc = schema.node('doc', null, [schema.node(block, null, content)]);
  return EditorState.create({ doc, selection: TextSelection.create(doc, text.length + 1) });
}

test.each([
  ['/', ''],
  ['/hea', 'hea'],
  ['some text /', ''],
  ['some text /ta', 'ta'],
  ['and/or', null],
  ['https://', null],
  ['/two words', null],
  ['、', ''],
  ['、标题', '标题'],
  ['苹果、', null],
  ['', null],
])('“%s” opens the menu for %s', (text, query) => {
  expect(slashAt(typed(text))?.query ?? null).toBe(query);
});

test('not in code', () => {
  expect(slashAt(typed('/', 'codeBlock'))).toBeNull();
});

const chinese: Record<string, string> = { h1: '一级标题', h2: '二级标题', tasks: '任务列表' };
const ids = (query: string) => blocksFor(query, (id) => chinese[id] ?? id).map(({ id }) => id);

test('blocks are found by label, English words, pinyin and initials', () => {
  expect(ids('标题')).toEqual(['h1', 'h2']);
  expect(ids('todo')).toEqual(['tasks']);
  expect(ids('renwu')).toEqual(['tasks']);
  expect(ids('fgx')).toEqual(['rule']);
  expect(ids('nothing like it')).toEqual([]);
  expect(ids('').length).toBeGreaterThan(8);
});
