import type { Editor } from '@tiptap/core';
import { ySyncPluginKey } from '@tiptap/y-tiptap';

interface Binding {
  destroy: () => void;
  /** Runs at most one of two functions at a time; ours then runs neither. */
  mux: (run: () => void) => void;
}

/** Ends the binding of editor and replica at once, in both directions. */
export function cutOff(editor: Editor): void {
  if (editor.isDestroyed) return;
  const state: unknown = ySyncPluginKey.getState(editor.state);
  const binding = (state as { binding?: Binding } | undefined)?.binding;
  if (binding !== undefined) {
    binding.destroy();
    binding.mux = () => undefined;
  }
  // Last: it updates the view, which would still write the view's content to the replica.
  editor.setEditable(false, false);
}
