import { Anchor, Button, Group, Popover, TextInput } from '@mantine/core';
import type { Editor } from '@tiptap/react';
import { useEffect, useState, type FormEvent } from 'react';
import { useWords } from '../../i18n/hooks';
import { isImeKey } from '../../ui/ime';
import { isLinkTarget, linkFrom } from './links';

interface Props {
  editor: Editor;
  opened: boolean;
  onClose: () => void;
}

/** The address of the link at the caret, or of the selected words. */
export function LinkField({ editor, opened, onClose }: Props) {
  const { t } = useWords();
  const [address, setAddress] = useState('');
  const [bad, setBad] = useState(false);
  const [at, setAt] = useState({ left: 0, top: 0 });
  const current = opened ? String(editor.getAttributes('link')['href'] ?? '') : '';

  useEffect(() => {
    if (!opened) return;
    setAddress(String(editor.getAttributes('link')['href'] ?? ''));
    setBad(false);
    const { left, bottom } = editor.view.coordsAtPos(editor.state.selection.from);
    setAt({ left, top: bottom });
  }, [opened, editor]);

  const close = () => {
    onClose();
    editor.commands.focus();
  };
  const apply = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const href = linkFrom(address);
    if (href === null) return setBad(true);
    onClose();
    setLink(editor, href, address.trim());
  };
  const remove = () => {
    onClose();
    editor.chain().focus().extendMarkRange('link').unsetLink().run();
  };

  return (
    <Popover opened={opened} onChange={(open) => !open && close()} width={340} position="bottom-start" trapFocus>
      <Popover.Target>
        <span aria-hidden="true" style={{ position: 'fixed', inlineSize: 0, blockSize: 0, ...at }} />
      </Popover.Target>
      <Popover.Dropdown aria-label={t('doc.link')}>
        <form onSubmit={apply}>
          <TextInput
            label={t('doc.link_url')}
            value={address}
            error={bad ? t('doc.link_bad') : undefined}
            placeholder="https://"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            onChange={(event) => {
              setAddress(event.currentTarget.value);
              setBad(false);
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
            }}
          />
          <Group gap={8} mt={12} justify="flex-end">
            {current !== '' && (
              <>
                {isLinkTarget(current) && (
                  <Anchor href={current} target="_blank" rel="noopener noreferrer" me="auto">
                    {t('doc.link_open')}
                  </Anchor>
                )}
                <Button variant="subtle" color="red" onClick={remove}>
                  {t('doc.link_remove')}
                </Button>
              </>
            )}
            <Button type="submit">{t('doc.link_apply')}</Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

/** Without a selection the address itself becomes the words. */
function setLink(editor: Editor, href: string, typed: string): void {
  const chain = editor.chain().focus();
  if (!editor.state.selection.empty || editor.isActive('link')) {
    chain.extendMarkRange('link').setLink({ href }).run();
    return;
  }
  chain
    .insertContent({ type: 'text', text: typed, marks: [{ type: 'link', attrs: { href } }] })
    .unsetMark('link')
    .run();
}
