/** The frame of a dialog with a title and a cross, which fills a phone's screen. */
import { Modal, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/hooks';
import { PHONE, useMediaFlag } from './useMediaFlag';

interface Props {
  title: string;
  /** How wide it is where there is room, in pixels. */
  size: number;
  opened: boolean;
  onClose: () => void;
  closeOnClickOutside?: boolean;
  children: ReactNode;
}

export function Dialog({ title, size, opened, onClose, closeOnClickOutside = true, children }: Props) {
  const { t } = useWords();
  const phone = useMediaFlag(PHONE);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      fullScreen={phone}
      size={size}
      closeOnClickOutside={closeOnClickOutside}
      title={
        <Text component="span" fw={600} fz={16} lineClamp={1}>
          {title}
        </Text>
      }
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {children}
    </Modal>
  );
}
