// @vitest-environment jsdom
/** Two editors, one paragraph: what both type at once is there once, however it travels. */
import { Editor } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { afterEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { FRAGMENT } from './foreign';
import { schemaExtensions } from './schema';
import { TextsInBlocks } from './texts';

/** Repeatable chance (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Side {
  editor: Editor;
  ydoc: Y.Doc;
  /** Updates made here, in order; the other side has taken the first `taken`. */
  made: Uint8Array[];
  taken: number;
}

const open: Editor[] = [];
const closeAll = () => open.splice(0).forEach((editor) => editor.destroy());
afterEach(closeAll);

function side(begin: Uint8Array, filled: boolean): Side {
  const ydoc = new Y.Doc();
  Y.applyUpdate(ydoc, begin);
  const editor = new Editor({
    element: document.createElement('div'),
    extensions: [
      ...schemaExtensions({ tick: '' }),
      Collaboration.configure({ document: ydoc, field: FRAGMENT }),
      ...(filled ? [TextsInBlocks] : []),
    ],
  });
  open.push(editor);
  const made: Uint8Array[] = [];
  ydoc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'arrived') made.push(update);
  });
  return { editor, ydoc, made, taken: 0 };
}

function take(from: Side, to: Side): boolean {
  const update = from.made[from.taken];
  if (update === undefined) return false;
  from.taken += 1;
  Y.applyUpdate(to.ydoc, update, 'arrived');
  return true;
}

/** A document with one paragraph, made by an editor. */
function beginning(filled: boolean): Uint8Array {
  const first = side(Y.encodeStateAsUpdate(new Y.Doc()), filled);
  first.editor.commands.setContent('<p>x</p><p></p>');
  first.editor.commands.deleteRange({ from: 0, to: 3 });
  return Y.encodeStateAsUpdate(first.ydoc);
}

/** Both type at the end of the last block, and sometimes begin a new one. */
function meet(seed: number, filled: boolean): { shown: string; typed: string } {
  const roll = dice(seed);
  const begin = beginning(filled);
  const sides = [side(begin, filled), side(begin, filled)] as const;
  const typed: string[] = [];
  for (let step = 0; step < 40; step += 1) {
    const at = roll(2);
    const [mine, theirs] = at === 0 ? sides : [sides[1], sides[0]];
    const deed = roll(10);
    if (deed < 5) {
      const letter = String.fromCodePoint(0x4e00 + typed.length);
      typed.push(letter);
      const end = mine.editor.state.doc.content.size - 1;
      mine.editor.view.dispatch(mine.editor.state.tr.insertText(letter, end));
    } else if (deed < 6) {
      mine.editor.chain().setTextSelection(mine.editor.state.doc.content.size).splitBlock().run();
    } else {
      take(theirs, mine);
    }
  }
  for (let more = true; more; ) more = [take(...sides), take(sides[1], sides[0])].some(Boolean);
  const texts = sides.map(({ editor }) => editor.getText({ blockSeparator: '' }));
  expect(texts[0]).toBe(texts[1]);
  expect(sides[0].editor.getJSON()).toEqual(sides[1].editor.getJSON());
  closeAll();
  return { shown: [...(texts[0] ?? '')].sort().join(''), typed: typed.join('') };
}

test('what two people type in one empty paragraph is there once', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { shown, typed } = meet(seed, true);
    expect(shown, `seed ${seed}`).toBe(typed);
  }
});

test('the binding alone loses or doubles some of it', () => {
  const met = Array.from({ length: 20 }, (_, seed) => meet(seed, false));
  expect(met.some(({ shown, typed }) => shown !== typed)).toBe(true);
});
