/** Keys of a document beyond those that its blocks bring along. */
import { Extension, type Editor } from '@tiptap/core';
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state';
import { isImeKey } from '../../ui/ime';

/** Moves the block of the caret (of the outermost level) one up or down. */
export function moveBlock(editor: Editor, by: -1 | 1): boolean {
  const { state, view } = editor;
  const { $from, $to } = state.selection;
  if ($from.depth === 0 || $from.index(0) !== $to.index(0)) return false;
  const index = $from.index(0);
  const neighbour = state.doc.maybeChild(index + by);
  const block = state.doc.child(index);
  if (neighbour === null || neighbour === undefined) return true;
  const start = $from.before(1);
  const transaction = state.tr.delete(start, start + block.nodeSize);
  const to = by === -1 ? start - neighbour.nodeSize : start + neighbour.nodeSize;
  transaction.insert(to, block);
  const moved = (pos: number): number => to + (pos - start);
  transaction.setSelection(
    TextSelection.create(
      transaction.doc,
      moved(state.selection.anchor),
      moved(state.selection.head),
    ),
  );
  view.dispatch(transaction.scrollIntoView());
  return true;
}

/** Ticks or unticks the task that holds the caret. */
function tickTask(editor: Editor): boolean {
  if (!editor.isActive('taskItem')) return false;
  const checked = editor.getAttributes('taskItem')['checked'] === true;
  return editor.commands.updateAttributes('taskItem', { checked: !checked });
}

function hasLinkable(editor: Editor): boolean {
  return !editor.state.selection.empty || editor.isActive('link');
}

interface Options {
  /** Opens the field for a link's address; false if there is nothing to link. */
  onLink: () => boolean;
}

export const DocKeys = Extension.create<Options>({
  name: 'docKeys',
  priority: 1001,

  addOptions() {
    return { onLink: () => false };
  },

  addKeyboardShortcuts() {
    return {
      'Mod-Enter': () => tickTask(this.editor),
      // With nothing to link it finds things, as everywhere else.
      'Mod-k': () => hasLinkable(this.editor) && this.options.onLink(),
      'Alt-Shift-ArrowUp': () => moveBlock(this.editor, -1),
      'Alt-Shift-ArrowDown': () => moveBlock(this.editor, 1),
    };
  },

  addProseMirrorPlugins() {
    // Tab indents in lists. Esc, then Tab, leaves the text from anywhere.
    let leaving = false;
    return [
      new Plugin({
        key: new PluginKey('docKeys'),
        props: {
          handleDOMEvents: {
            keydown: (_view, event) => {
              if (isImeKey(event) || /^(?:Shift|Control|Alt|Meta)$/.test(event.key)) return false;
              const leave = leaving && event.key === 'Tab';
              leaving = event.key === 'Escape';
              return leave;
            },
          },
        },
      }),
    ];
  },
});
