import { computePosition, flip, offset, shift } from '@floating-ui/dom';
import {
  IconBlockquote,
  IconCode,
  IconH1,
  IconH2,
  IconH3,
  IconLetterT,
  IconList,
  IconListCheck,
  IconListNumbers,
  IconSeparator,
  type TablerIcon,
} from '@tabler/icons-react';
import { isChangeOrigin } from '@tiptap/extension-collaboration';
import { Plugin, PluginKey, type Transaction } from '@tiptap/pm/state';
import type { Editor } from '@tiptap/react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useWords } from '../../i18n/hooks';
import { isImeKey } from '../../ui/ime';
import { blocksFor, insertBlock, slashAt, type BlockId, type Slash } from './slash';

const ICONS: Record<BlockId, TablerIcon> = {
  text: IconLetterT,
  h1: IconH1,
  h2: IconH2,
  h3: IconH3,
  bullets: IconList,
  numbers: IconListNumbers,
  tasks: IconListCheck,
  quote: IconBlockquote,
  code_block: IconCode,
  rule: IconSeparator,
};

const KEY = new PluginKey('slashKeys');

/** Opens when `/` is typed; the caret stays in the text and keys are taken from there. */
export function SlashMenu({ editor }: { editor: Editor }) {
  const { t } = useWords();
  const [slash, setSlash] = useState<Slash | null>(null);
  const [active, setActive] = useState(0);
  useSlash(editor, setSlash);
  const blocks = slash === null ? [] : blocksFor(slash.query, (id) => t(`doc.${id}`));
  const chosen = Math.min(active, Math.max(0, blocks.length - 1));
  useEffect(() => setActive(0), [slash?.query, slash?.from]);

  const choose = (index: number) => {
    const block = blocks[index];
    if (slash === null || block === undefined) return;
    setSlash(null);
    insertBlock(editor, slash, block);
  };
  useSlashKeys(editor, (event) => {
    if (slash === null) return false;
    switch (event.key) {
      case 'ArrowDown':
        setActive(blocks.length === 0 ? 0 : (chosen + 1) % blocks.length);
        return true;
      case 'ArrowUp':
        setActive(blocks.length === 0 ? 0 : (chosen + blocks.length - 1) % blocks.length);
        return true;
      case 'Enter':
      case 'Tab':
        if (blocks.length === 0) return false;
        choose(chosen);
        return true;
      case 'Escape':
        setSlash(null);
        return true;
      default:
        return false;
    }
  });

  const box = useBoxAt(editor, slash?.from ?? null, blocks.length);
  if (slash === null) return null;
  return (
    <div ref={box} className="weft-slash" data-testid="slash-menu">
      <ul role="listbox" aria-label={t('doc.menu')}>
        {blocks.map(({ id }, index) => {
          const Icon = ICONS[id];
          return (
            <li
              key={id}
              role="option"
              aria-selected={index === chosen}
              data-active={index === chosen || undefined}
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setActive(index)}
              onClick={() => choose(index)}
              ref={(element) => {
                if (index === chosen) element?.scrollIntoView({ block: 'nearest' });
              }}
            >
              <Icon size={18} stroke={1.5} aria-hidden="true" />
              {t(`doc.${id}`)}
            </li>
          );
        })}
      </ul>
      {blocks.length === 0 && <p>{t('doc.menu_none')}</p>}
      <span className="visually-hidden" role="status">
        {blocks[chosen] === undefined ? '' : t(`doc.${blocks[chosen].id}`)}
      </span>
    </div>
  );
}

/** Follows the sign. Opens only by typing here; Esc closes it and leaves the sign. */
function useSlash(editor: Editor, set: (slash: Slash | null) => void): void {
  useEffect(() => {
    let open = false;
    let shut: number | null = null;
    const onTransaction = ({ transaction }: { transaction: Transaction }) => {
      const remote = isChangeOrigin(transaction);
      const found = editor.isEditable ? slashAt(editor.state) : null;
      if (found === null) shut = null;
      if (!open && (remote || !transaction.docChanged || found?.from === shut)) return;
      open = found !== null;
      set(found);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isImeKey(event)) return;
      shut = slashAt(editor.state)?.from ?? null;
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
  }, [editor, set]);
}

/** Asks `handle` before any other key of the editor; true: taken. */
function useSlashKeys(editor: Editor, handle: (event: KeyboardEvent) => boolean): void {
  const latest = useRef(handle);
  latest.current = handle;
  useEffect(() => {
    const plugin = new Plugin({
      key: KEY,
      props: {
        handleKeyDown: (view, event) =>
          !isImeKey(event) && !view.composing && latest.current(event),
      },
    });
    editor.registerPlugin(plugin, (own, plugins) => [own, ...plugins]);
    return () => {
      if (!editor.isDestroyed) editor.unregisterPlugin(KEY);
    };
  }, [editor]);
}

/** Puts a box under a position of the text, or above it where there is no room. */
function useBoxAt(editor: Editor, pos: number | null, size: number) {
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
