/**
 * Every block of text holds a text from the moment it is made, also while it is empty.
 *
 * The binding makes the text with the first key pressed in it. Two people who begin in the same
 * empty paragraph would each make one; the binding then merges the two on both sides at once, by
 * copying, and what is typed meanwhile is lost or doubled.
 */
import { Extension } from '@tiptap/core';
import { Plugin, PluginKey } from '@tiptap/pm/state';
import type { EditorState } from '@tiptap/pm/state';
import type { Node, Schema } from '@tiptap/pm/model';
import { ySyncPluginKey } from '@tiptap/y-tiptap';
import * as Y from 'yjs';

interface Binding {
  doc: Y.Doc;
  /** Writes what the editor shows to the Yjs document. */
  _prosemirrorChanged: (shown: Node) => void;
}

export const TextsInBlocks = Extension.create({
  name: 'textsInBlocks',
  // After the collaboration, whose binding it needs.
  priority: 10,

  addProseMirrorPlugins() {
    return [
      new Plugin({
        key: new PluginKey('textsInBlocks'),
        view: ({ state }) => {
          const binding = bindingOf(state);
          if (binding !== undefined) fillWhatIsWritten(binding, state.schema);
          return {};
        },
      }),
    ];
  },
});

function bindingOf(state: EditorState): Binding | undefined {
  const sync: unknown = ySyncPluginKey.getState(state);
  return (sync as { binding?: Binding } | undefined)?.binding;
}

function fillWhatIsWritten(binding: Binding, schema: Schema): void {
  const write = binding._prosemirrorChanged.bind(binding);
  binding._prosemirrorChanged = (shown) => {
    binding.doc.transact((transaction) => {
      write(shown);
      fillNew(transaction, schema);
    }, ySyncPluginKey);
  };
}

/** Gives a text to each empty block that was made in the transaction. */
function fillNew(transaction: Y.Transaction, schema: Schema): void {
  for (const changed of [...transaction.changed.keys()]) {
    if (!(changed instanceof Y.XmlFragment)) continue;
    for (const child of changed.toArray()) {
      if (child instanceof Y.XmlElement && isNew(child, transaction)) fill(child, schema);
    }
  }
}

function isNew({ _item: item }: Y.XmlElement, transaction: Y.Transaction): boolean {
  return item !== null && item.id.clock >= (transaction.beforeState.get(item.id.client) ?? 0);
}

function fill(element: Y.XmlElement, schema: Schema): void {
  if (element.length === 0) {
    if (schema.nodes[element.nodeName]?.inlineContent) element.insert(0, [new Y.XmlText()]);
    return;
  }
  for (const child of element.toArray()) {
    if (child instanceof Y.XmlElement) fill(child, schema);
  }
}
