import { Button, Group, Modal, TextInput } from '@mantine/core';
import { useEffect, useState, type FormEvent } from 'react';
import { useWords } from '../i18n/hooks';
import { isImeKey } from './ime';

export const TITLE_CHARS_MAX = 200;

interface Props {
  room: { id: string; title: string };
  opened: boolean;
  onClose: () => void;
  onRename: (title: string) => Promise<boolean>;
}

export function RenameDialog({ room, opened, onClose, onRename }: Props) {
  const { t } = useWords();
  const [title, setTitle] = useState(room.title);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (opened) setTitle(room.title);
  }, [opened, room.title]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const done = await onRename(title.trim());
    setBusy(false);
    if (done) onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('home.rename_title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <TextInput
          aria-label={t('room.title')}
          placeholder={t('doc.untitled')}
          value={title}
          maxLength={TITLE_CHARS_MAX}
          data-autofocus
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setTitle(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
        />
        <Group justify="flex-end" mt={24} gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy}>
            {t('action.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
