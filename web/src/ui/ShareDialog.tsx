/** Sharing: people first, links second. */
import { Divider, Modal, Stack, Text } from '@mantine/core';
import type { Right } from '../api/types';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { ShareLinks } from './ShareLinks';
import { SharePeople } from './SharePeople';
import { PHONE, useMediaFlag } from './useMediaFlag';

interface Props {
  room: { id: string; title: string; right: Right };
  opened: boolean;
  onClose: () => void;
}

export function ShareDialog({ room, opened, onClose }: Props) {
  const { t } = useWords();
  const phone = useMediaFlag(PHONE);
  const manage = room.right === 'manage';
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      fullScreen={phone}
      size={560}
      title={
        <Text component="span" fw={600} fz={16} lineClamp={1}>
          {t('share.title', { title: shownTitle(room.title, t('doc.untitled')) })}
        </Text>
      }
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack gap={16}>
        {!manage && <Text c="dimmed">{t('share.cannot')}</Text>}
        <SharePeople room={room} manage={manage} />
        {manage && (
          <>
            <Divider />
            <ShareLinks room={room} />
          </>
        )}
      </Stack>
    </Modal>
  );
}
