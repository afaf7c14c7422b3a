/** A menu that a sign in the text opens, such as `/`: the caret stays there, and keys are taken from there. */
import { computePosition, flip, offset, shift } from '@floating-ui/dom';
import { isChangeOrigin } from '@tiptap/extension-collaboration';
import { Plugin, type EditorState, type PluginKey, type Transaction } from '@tiptap/pm/state';
import type { Editor } from '@tiptap/react';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { isImeKey } from '../../ui/ime';

/** A sign in the text, and what was typed behind it. */
export interface Sign {
  from: number;
}

/** Follows the sign. Opens only by typing here; Esc closes it and leaves the sign. */
export function useSign<T extends Sign>(
  editor: Editor,
  signAt: (state: EditorState) => T | null,
  set: (sign: T | null) => void,
): void {
  useEffect(() => {
    let open = false;
    let shut: number | null = null;
    const onTransaction = ({ transaction }: { transaction: Transaction }) => {
      const remote = isChangeOrigin(transaction);
      const found = editor.isEditable ? signAt(editor.state) : null;
      if (found === null) shut = null;
      if (!open && (remote || !transaction.docChanged || found?.from === shut)) return;
      open = found !== null;
      set(found);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isImeKey(event)) return;
      shut = signAt(editor.state)?.from ?? null;
      open = false;
    };
    const onBlur = () => {
      open = false;
      set(null);
    };
    editor.on('transaction', onTransaction);
    editor.on('blur', onBlur);
    editor.view.dom.addEventListener('keydown', onKey);
    return () => {
      editor.off('transaction', onTransaction);
      editor.off('blur', onBlur);
      if (!editor.isDestroyed) editor.view.dom.removeEventListener('keydown', onKey);
    };
  }, [editor, signAt, set]);
}

/** Asks `handle` before any other key of the editor; true: taken. */
export function useMenuKeys(
  editor: Editor,
  key: PluginKey,
  handle: (event: KeyboardEvent) => boolean,
): void {
  const latest = useRef(handle);
  latest.current = handle;
  useEffect(() => {
    const plugin = new Plugin({
      key,
      props: {
        handleKeyDown: (view, event) =>
          !isImeKey(event) && !view.composing && latest.current(event),
      },
    });
    editor.registerPlugin(plugin, (own, plugins) => [own, ...plugins]);
    return () => {
      if (!editor.isDestroyed) editor.unregisterPlugin(key);
    };
  }, [editor, key]);
}

/** Puts a box under a position of the text, or above it where there is no room. */
export function useBoxAt(editor: Editor, pos: number | null, size: number) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (pos === null || element === null) return;
    const at = () => {
      const { left, top, bottom } = editor.view.coordsAtPos(
        Math.min(pos, editor.state.doc.content.size),
      );
      return new DOMRect(left, top, 0, bottom - top);
    };
    void computePosition({ getBoundingClientRect: at }, element, {
      strategy: 'fixed',
      placement: 'bottom-start',
      middleware: [offset(6), flip({ padding: 8 }), shift({ padding: 8 })],
    }).then(({ x, y }) => {
      element.style.left = `${x}px`;
      element.style.top = `${y}px`;
    });
  }, [editor, pos, size]);
  return box;
}
