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
import { PluginKey } from '@tiptap/pm/state';
import type { Editor } from '@tiptap/react';
import { useEffect, useState } from 'react';
import { useWords } from '../../i18n/hooks';
import { blocksFor, insertBlock, slashAt, type BlockId, type Slash } from './slash';
import { useBoxAt, useMenuKeys, useSign } from './signMenu';

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
  useSign(editor, slashAt, setSlash);
  const blocks = slash === null ? [] : blocksFor(slash.query, (id) => t(`doc.${id}`));
  const chosen = Math.min(active, Math.max(0, blocks.length - 1));
  useEffect(() => setActive(0), [slash?.query, slash?.from]);

  const choose = (index: number) => {
    const block = blocks[index];
    if (slash === null || block === undefined) return;
    setSlash(null);
    insertBlock(editor, slash, block);
  };
  useMenuKeys(editor, KEY, (event) => {
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
