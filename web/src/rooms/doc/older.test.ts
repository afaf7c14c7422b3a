// @vitest-environment jsdom
/** An editor of an older schema beside one that knows more: nothing is destroyed. */
import { Editor } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { cutOff } from './cutOff';
import { FRAGMENT, watchForeign } from './foreign';
import { schemaExtensions } from './schema';

function olderClient(ydoc: Y.Doc, guarded: boolean): Editor {
  const editor = new Editor({
    element: document.createElement('div'),
    extensions: [
      ...schemaExtensions({ tick: '' }),
      Collaboration.configure({ document: ydoc, field: FRAGMENT }),
    ],
  });
  if (guarded) watchForeign(ydoc, editor.schema, () => cutOff(editor));
  return editor;
}

function newerClient(): Y.Doc {
  const ydoc = new Y.Doc();
  const paragraph = new Y.XmlElement('paragraph');
  paragraph.insert(0, [new Y.XmlText('hello')]);
  ydoc.getXmlFragment(FRAGMENT).insert(0, [paragraph]);
  return ydoc;
}

function arrive(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
}

const names = (ydoc: Y.Doc) =>
  ydoc
    .getXmlFragment(FRAGMENT)
    .toArray()
    .map((part) => (part instanceof Y.XmlElement ? part.nodeName : '?'));

function meet(guarded: boolean): { mine: Y.Doc; editor: Editor } {
  const theirs = newerClient();
  const mine = new Y.Doc();
  arrive(theirs, mine);
  const editor = olderClient(mine, guarded);
  theirs.getXmlFragment(FRAGMENT).insert(1, [new Y.XmlElement('mermaid')]);
  arrive(theirs, mine);
  return { mine, editor };
}

test('without the watch the binding deletes what it does not know', () => {
  const { mine, editor } = meet(false);
  expect(names(mine)).toEqual(['paragraph']);
  editor.destroy();
});

test('with it the unknown block stays, and typing here changes nothing any more', () => {
  const { mine, editor } = meet(true);
  expect(names(mine)).toEqual(['paragraph', 'mermaid']);
  const before = Y.encodeStateAsUpdate(mine);
  editor.commands.insertContent('typed too late');
  expect(Y.encodeStateAsUpdate(mine)).toEqual(before);
  expect(editor.isEditable).toBe(false);
  editor.destroy();
  expect(names(mine)).toEqual(['paragraph', 'mermaid']);
});
