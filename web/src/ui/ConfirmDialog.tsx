import { Button, Group, Modal } from '@mantine/core';
import { useWords } from '../i18n/hooks';

interface Props {
  opened: boolean;
  question: string;
  /** A verb. */
  yes: string;
  onYes: () => void;
  onClose: () => void;
}

/** Only for what cannot be taken back. */
export function ConfirmDialog({ opened, question, yes, onYes, onClose }: Props) {
  const { t } = useWords();
  return (
    <Modal opened={opened} onClose={onClose} withCloseButton={false} title={question}>
      <Group justify="flex-end" mt={8} gap={8}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button
          color="red"
          onClick={() => {
            onClose();
            onYes();
          }}
        >
          {yes}
        </Button>
      </Group>
    </Modal>
  );
}
