/** Toasts: only for the consequence of one's own act, or for what needs one now. */
import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';
import { useWords } from '../i18n/hooks';

const UNDO_MS = 8_000;
const TOAST_MS = 5_000;

interface Toast {
  message: string;
  /** Offered for eight seconds. */
  undo?: () => void;
}

/** Screen readers are told what the cross does. */
const closeButtonProps = () => ({ 'aria-label': i18next.t('action.close') });

export function toast({ message, undo }: Toast): void {
  const id = notifications.show({
    role: 'status',
    withCloseButton: true,
    closeButtonProps: closeButtonProps(),
    autoClose: undo === undefined ? TOAST_MS : UNDO_MS,
    message: <ToastBody message={message} {...(undo && { undo: () => (notifications.hide(id), undo()) })} />,
  });
}

/** Stays until it is closed. */
export function toastError(message: string): void {
  notifications.show({
    role: 'alert',
    color: 'red',
    withCloseButton: true,
    closeButtonProps: closeButtonProps(),
    autoClose: false,
    message,
  });
}

function ToastBody({ message, undo }: Toast) {
  const { t } = useWords();
  return (
    <Group justify="space-between" wrap="nowrap" gap={16}>
      <Text component="span">{message}</Text>
      {undo !== undefined && (
        <Button variant="subtle" size="compact-sm" onClick={undo}>
          {t('action.undo')}
        </Button>
      )}
    </Group>
  );
}
