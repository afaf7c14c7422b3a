/** Signing out: first what is unsent, then the server, then this browser. */
import { Button, Group, Modal, Text } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiError, asApiError } from '../api/client';
import type { User } from '../api/types';
import { useServices } from '../app/services';
import { useSession } from '../app/session';
import { useWords } from '../i18n/hooks';
import type { Connection } from '../sync';
import { toastError } from './toast';

interface SignOut {
  ask: () => Promise<void>;
  dialog: ReactNode;
}

interface Unsent {
  connection: Connection;
  count: number;
  waiting: boolean;
}

export function useSignOut(user: User): SignOut {
  const services = useServices();
  const session = useSession();
  const { t, fault } = useWords();
  const [unsent, setUnsent] = useState<Unsent | null>(null);

  const leave = async () => {
    setUnsent(null);
    // The connection hears of it too; that must not read as having been thrown out.
    session.leaving = true;
    try {
      await services.api.logout();
    } catch (error) {
      // Already signed out is as good; without an answer one would only seem to be signed out.
      if (!(error instanceof ApiError && error.status === 401)) {
        session.leaving = false;
        toastError(fault(asApiError(error)));
        return;
      }
    }
    await session.end();
    await services.forget(user.id);
    session.leave();
  };

  const ask = async () => {
    const connection = await session.current()?.catch(() => null);
    connection?.flush();
    const count = connection?.pending() ?? 0;
    if (connection === undefined || connection === null || count === 0) return leave();
    setUnsent({ connection, count, waiting: false });
  };

  const waiting = unsent?.waiting === true ? unsent.connection : null;
  useEffect(() => {
    if (waiting === null) return;
    const timer = setInterval(() => {
      if (waiting.pending() === 0) void leave();
    }, 300);
    return () => clearInterval(timer);
  });

  const dialog = (
    <Modal
      opened={unsent !== null}
      onClose={() => setUnsent(null)}
      title={t('auth.unsent_title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Text aria-live="polite">
        {unsent?.waiting === true
          ? t('auth.unsent_waiting')
          : t('auth.unsent_text', { count: unsent?.count ?? 0 })}
      </Text>
      <Group justify="flex-end" mt={24} gap={8}>
        <Button variant="subtle" color="red" onClick={() => void leave()}>
          {t('auth.unsent_drop')}
        </Button>
        {unsent?.waiting !== true && (
          <Button
            data-autofocus
            onClick={() => {
              unsent?.connection.retryNow();
              setUnsent(unsent && { ...unsent, waiting: true });
            }}
          >
            {t('auth.unsent_wait')}
          </Button>
        )}
      </Group>
    </Modal>
  );
  return { ask, dialog };
}
