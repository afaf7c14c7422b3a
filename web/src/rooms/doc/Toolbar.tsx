import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconBlockquote,
  IconBold,
  IconChevronDown,
  IconCode,
  IconIndentDecrease,
  IconIndentIncrease,
  IconItalic,
  IconLink,
  IconList,
  IconListCheck,
  IconListNumbers,
  IconStrikethrough,
  IconUnderline,
  type TablerIcon,
} from '@tabler/icons-react';
import { useEditorState, type Editor } from '@tiptap/react';
import { useRef, type KeyboardEvent } from 'react';
import { useWords } from '../../i18n/hooks';
import { shortcutText } from '../../ui/shortcut';
import classes from './Toolbar.module.css';

const STYLES = ['text', 'h1', 'h2', 'h3'] as const;
type Style = (typeof STYLES)[number];

interface Tool {
  id: string;
  icon: TablerIcon;
  keys: string;
  run: () => void;
  pressed?: boolean;
  disabled?: boolean;
}

interface Props {
  editor: Editor;
  onLink: () => void;
}

/** One row of tools; on a phone it scrolls sideways and stands on the keyboard. */
export function Toolbar({ editor, onLink }: Props) {
  const { t } = useWords();
  const bar = useRef<HTMLDivElement>(null);
  const now = useEditorState({ editor, selector: ({ editor: at }) => stateOf(at) });
  const chain = () => editor.chain().focus();
  const list = now.list;

  const groups: Tool[][] = [
    [
      { id: 'action.undo', icon: IconArrowBackUp, keys: 'Ctrl Z', run: () => chain().undo().run(), disabled: !now.undo },
      { id: 'action.redo', icon: IconArrowForwardUp, keys: 'Ctrl Y', run: () => chain().redo().run(), disabled: !now.redo },
    ],
    [
      { id: 'doc.bold', icon: IconBold, keys: 'Ctrl B', run: () => chain().toggleBold().run(), pressed: now.bold },
      { id: 'doc.italic', icon: IconItalic, keys: 'Ctrl I', run: () => chain().toggleItalic().run(), pressed: now.italic },
      { id: 'doc.underline', icon: IconUnderline, keys: 'Ctrl U', run: () => chain().toggleUnderline().run(), pressed: now.underline },
      { id: 'doc.strike', icon: IconStrikethrough, keys: 'Ctrl Shift S', run: () => chain().toggleStrike().run(), pressed: now.strike },
      { id: 'doc.code', icon: IconCode, keys: 'Ctrl E', run: () => chain().toggleCode().run(), pressed: now.code },
      { id: 'doc.link', icon: IconLink, keys: 'Ctrl K', run: onLink, pressed: now.link },
    ],
    [
      { id: 'doc.bullets', icon: IconList, keys: 'Ctrl Shift 8', run: () => chain().toggleBulletList().run(), pressed: now.bullets },
      { id: 'doc.numbers', icon: IconListNumbers, keys: 'Ctrl Shift 7', run: () => chain().toggleOrderedList().run(), pressed: now.numbers },
      { id: 'doc.tasks', icon: IconListCheck, keys: 'Ctrl Shift 9', run: () => chain().toggleTaskList().run(), pressed: now.tasks },
      { id: 'doc.outdent', icon: IconIndentDecrease, keys: 'Shift Tab', run: () => list !== null && chain().liftListItem(list).run(), disabled: list === null },
      { id: 'doc.indent', icon: IconIndentIncrease, keys: 'Tab', run: () => list !== null && chain().sinkListItem(list).run(), disabled: !now.canIndent },
      { id: 'doc.quote', icon: IconBlockquote, keys: 'Ctrl Shift B', run: () => chain().toggleBlockquote().run(), pressed: now.quote },
    ],
  ];

  return (
    <div
      ref={bar}
      role="toolbar"
      aria-label={t('doc.toolbar')}
      className={`${classes.bar} no-print`}
      onKeyDown={(event) => moveFocus(bar.current, event)}
    >
      <div className={classes.row}>
        <StyleMenu editor={editor} style={now.style} />
        {groups.map((tools, index) => (
          <div key={index} className={classes.group}>
            {tools.map(({ id, icon: Icon, keys, run, pressed, disabled }) => (
              <Tooltip key={id} label={`${t(id)} (${shortcutText(keys)})`}>
                <ActionIcon
                  variant={pressed === true ? 'light' : 'subtle'}
                  color={pressed === true ? 'indigo' : 'gray'}
                  className={classes.tool}
                  size={32}
                  tabIndex={-1}
                  aria-label={t(id)}
                  aria-pressed={pressed}
                  aria-disabled={disabled === true || undefined}
                  data-off={disabled === true || undefined}
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => disabled !== true && run()}
                >
                  <Icon size={18} stroke={1.5} />
                </ActionIcon>
              </Tooltip>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function stateOf(editor: Editor) {
  const level = editor.getAttributes('heading')['level'] as number | undefined;
  const style: Style =
    editor.isActive('heading') && (level === 1 || level === 2 || level === 3) ? `h${level}` : 'text';
  const list = editor.isActive('taskItem')
    ? 'taskItem'
    : editor.isActive('listItem')
      ? 'listItem'
      : null;
  return {
    style,
    list,
    undo: editor.can().undo(),
    redo: editor.can().redo(),
    bold: editor.isActive('bold'),
    italic: editor.isActive('italic'),
    underline: editor.isActive('underline'),
    strike: editor.isActive('strike'),
    code: editor.isActive('code'),
    link: editor.isActive('link'),
    bullets: editor.isActive('bulletList'),
    numbers: editor.isActive('orderedList'),
    tasks: editor.isActive('taskList'),
    quote: editor.isActive('blockquote'),
    canIndent: list !== null && editor.can().sinkListItem(list),
  };
}

function StyleMenu({ editor, style }: { editor: Editor; style: Style }) {
  const { t } = useWords();
  const choose = (wanted: Style) => {
    const chain = editor.chain().focus();
    if (wanted === 'text') chain.setParagraph().run();
    else chain.setHeading({ level: wanted === 'h1' ? 1 : wanted === 'h2' ? 2 : 3 }).run();
  };
  return (
    <Menu position="bottom-start" width={180} returnFocus={false}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          className={classes.style}
          size="compact-md"
          rightSection={<IconChevronDown size={14} stroke={1.5} />}
          aria-label={`${t('doc.block_style')}: ${t(`doc.${style}`)}`}
          tabIndex={0}
          onMouseDown={(event) => event.preventDefault()}
        >
          {t(`doc.${style}`)}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {STYLES.map((each) => (
          <Menu.Item
            key={each}
            className={classes[each]}
            aria-current={each === style || undefined}
            rightSection={`Ctrl Alt ${each === 'text' ? 0 : each.slice(1)}`.replace(/^.*$/, shortcutText)}
            onClick={() => choose(each)}
          >
            {t(`doc.${each}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Arrows walk along the tools: the whole bar is one stop of the Tab key. */
function moveFocus(bar: HTMLDivElement | null, event: KeyboardEvent): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  const end = event.key === 'Home' ? 0 : event.key === 'End' ? -1 : null;
  if (bar === null || (step === 0 && end === null)) return;
  const tools = [...bar.querySelectorAll<HTMLElement>('button')];
  const at = tools.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  const next = end === null ? (at + step + tools.length) % tools.length : end;
  tools.at(next)?.focus();
}
