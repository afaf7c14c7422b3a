import { Alert } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { useWords } from '../i18n/hooks';
import type { FaultLike } from '../i18n/faults';

/** What went wrong, spoken to screen readers at once; nothing while there is no fault. */
export function FaultAlert({ fault }: { fault: FaultLike | null }) {
  const words = useWords();
  return (
    <div role="alert">
      {fault !== null && (
        <Alert
          role="presentation"
          color="red"
          variant="light"
          icon={<IconAlertCircle size={18} stroke={1.5} />}
          styles={{
            root: { background: 'var(--weft-error-tint)' },
            message: { color: 'var(--weft-error)' },
            icon: { color: 'var(--weft-error)' },
          }}
        >
          {words.fault(fault)}
        </Alert>
      )}
    </div>
  );
}
