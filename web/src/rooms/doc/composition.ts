/**
 * Input methods: while one composes, nothing is sent and other people's changes wait.
 *
 * `compositionend` alone is not trusted: losing the focus and the next plain key end it too. The
 * release waits until the editor has taken the composed text from the page, or a change that
 * waited would be drawn over it.
 */
import { Extension } from '@tiptap/core';
import { Plugin, PluginKey } from '@tiptap/pm/state';
import type { EditorView } from '@tiptap/pm/view';
import { yUndoPluginKey } from '@tiptap/y-tiptap';
import type { UndoManager } from 'yjs';
import type { DocReplica } from '../../sync';
import { isImeKey } from '../../ui/ime';

/** The editor reads the page 20 ms after the composition ended. */
const RELEASE_MS = 60;
const CAPTURE_MS = 500;

type Holds = Pick<DocReplica, 'hold'>;

/** Whether a composition is on, told to the replica. Knows no editor, for tests. */
export class Composition {
  private held = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly replica: Holds,
    private readonly changed: (composing: boolean) => void,
  ) {}

  start(): void {
    this.cancel();
    if (this.held) return;
    this.held = true;
    this.replica.hold(true);
    this.changed(true);
  }

  endSoon(): void {
    if (!this.held) return;
    this.cancel();
    this.timer = setTimeout(() => this.end(), RELEASE_MS);
  }

  end(): void {
    this.cancel();
    if (!this.held) return;
    this.held = false;
    this.replica.hold(false);
    this.changed(false);
  }

  private cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

export const HoldWhileComposing = Extension.create<{ replica: Holds | null }>({
  name: 'holdWhileComposing',
  priority: 1000,

  addOptions() {
    return { replica: null };
  },

  addProseMirrorPlugins() {
    const { replica } = this.options;
    if (replica === null) return [];
    let view: EditorView | null = null;
    const composition = new Composition(replica, (composing) => {
      if (view !== null) oneUndoStep(view, composing);
    });
    return [
      new Plugin({
        key: new PluginKey('holdWhileComposing'),
        view: (made) => {
          view = made;
          return {
            destroy: () => {
              composition.end();
              view = null;
            },
          };
        },
        props: {
          handleDOMEvents: {
            compositionstart: () => (composition.start(), false),
            compositionend: () => (composition.endSoon(), false),
            blur: () => (composition.endSoon(), false),
            keydown: (_view, event) => {
              if (!isImeKey(event)) composition.endSoon();
              return false;
            },
          },
        },
      }),
    ];
  },
});

/** One composition is one step of undo, however long it takes. */
function oneUndoStep(view: EditorView, composing: boolean): void {
  const state: unknown = yUndoPluginKey.getState(view.state);
  const manager = (state as { undoManager?: UndoManager } | undefined)?.undoManager;
  if (manager === undefined) return;
  manager.stopCapturing();
  manager.captureTimeout = composing ? Number.POSITIVE_INFINITY : CAPTURE_MS;
}
