/**
 * Other people's cursors and selections, in their colours, with a name flag that shows for three
 * seconds after each move and while the pointer is over it. Hidden from screen readers: the list
 * of people says who is here.
 */
import { Extension } from '@tiptap/core';
import { Plugin, PluginKey } from '@tiptap/pm/state';
import { yCursorPlugin } from '@tiptap/y-tiptap';
import type { Awareness } from 'y-protocols/awareness';
import { personColor } from '../../ui/theme';

const FLAG_MS = 3_000;

interface CaretUser {
  name: string;
  /** Any six-digit colour: the binding asks for one, but we draw with the number. */
  color: string;
  number: number;
}

/**
 * The awareness as the binding's cursor plugin wants it: with colours as text. Ours carry the
 * number of the person's colour, which looks different in light and dark.
 */
function caretAwareness(awareness: Awareness): Awareness {
  const view: Pick<Awareness, 'getStates' | 'getLocalState' | 'setLocalStateField' | 'on' | 'off'> = {
    getStates: () => {
      const states = new Map<number, Record<string, unknown>>();
      awareness.getStates().forEach((state, client) => {
        states.set(client, { ...state, user: caretUser(state['user']) });
      });
      return states;
    },
    getLocalState: () => awareness.getLocalState(),
    setLocalStateField: (field, value: unknown) => awareness.setLocalStateField(field, value),
    on: awareness.on.bind(awareness),
    off: awareness.off.bind(awareness),
  };
  return view as Awareness;
}

function caretUser(said: unknown): CaretUser {
  const user = typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {};
  return {
    name: typeof user['name'] === 'string' ? user['name'] : '',
    color: '#000000',
    number: typeof user['color'] === 'number' ? user['color'] : 1,
  };
}

/** Which clients moved lately; their flags are out. */
class Flags {
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly cursors = new Map<number, string>();

  constructor(private readonly root: () => HTMLElement | null) {}

  isOut(client: number): boolean {
    return this.timers.has(client);
  }

  /** Compares everybody's cursor with what it was. */
  look(awareness: Awareness): void {
    const states = awareness.getStates();
    states.forEach((state, client) => {
      if (client === awareness.clientID) return;
      const cursor = JSON.stringify(state['cursor'] ?? null);
      const before = this.cursors.get(client);
      this.cursors.set(client, cursor);
      if (cursor !== 'null' && cursor !== before) this.raise(client);
    });
    for (const client of this.cursors.keys()) {
      if (!states.has(client)) this.cursors.delete(client);
    }
  }

  stop(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
  }

  private raise(client: number): void {
    clearTimeout(this.timers.get(client));
    this.timers.set(
      client,
      setTimeout(() => {
        this.timers.delete(client);
        this.mark(client, false);
      }, FLAG_MS),
    );
    this.mark(client, true);
  }

  private mark(client: number, out: boolean): void {
    this.root()
      ?.querySelectorAll(`.weft-caret[data-client="${client}"]`)
      .forEach((caret) => caret.toggleAttribute('data-out', out));
  }
}

function caretElement(user: CaretUser, client: number, out: boolean): HTMLElement {
  const caret = document.createElement('span');
  caret.className = 'weft-caret';
  caret.dataset['client'] = String(client);
  caret.toggleAttribute('data-out', out);
  caret.setAttribute('aria-hidden', 'true');
  caret.style.setProperty('--person', personColor(user.number));
  const flag = document.createElement('span');
  flag.className = 'weft-caret-flag';
  flag.dataset['name'] = user.name;
  // Word joiners keep the caret from being a place where lines break.
  caret.append('\u2060', flag, '\u2060');
  return caret;
}

export const Carets = Extension.create<{ awareness: Awareness | null }>({
  name: 'carets',
  priority: 999,

  addOptions() {
    return { awareness: null };
  },

  addProseMirrorPlugins() {
    const { awareness } = this.options;
    if (awareness === null) return [];
    const { editor } = this;
    const flags = new Flags(() => (editor.isDestroyed ? null : editor.view.dom));
    return [
      yCursorPlugin(caretAwareness(awareness), {
        cursorBuilder: (user: CaretUser, client: number) =>
          caretElement(user, client, flags.isOut(client)),
        selectionBuilder: (user: CaretUser) => ({
          class: 'weft-selection',
          style: `--person: ${personColor(user.number)}`,
        }),
      }),
      new Plugin({
        key: new PluginKey('caretFlags'),
        view: () => {
          const look = () => flags.look(awareness);
          awareness.on('change', look);
          return {
            destroy: () => {
              awareness.off('change', look);
              flags.stop();
            },
          };
        },
      }),
    ];
  },
});
