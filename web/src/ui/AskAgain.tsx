/** Asks for the password when one's sign-in is too old for what one is about to do, and goes on then. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useEffect, useState, type FormEvent } from 'react';
import { ApiError } from '../api/client';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { PasswordField } from '../pages/fields';
import { useForm } from '../pages/useForm';
import { Dialog } from './Dialog';
import { FaultAlert } from './FaultAlert';

export function AskAgain({ username }: { username: string }) {
  const { t } = useWords();
  const api = useApi();
  /** Those who wait for the answer: several calls may have been refused at once. */
  const [waiting, setWaiting] = useState<((shown: boolean) => void)[]>([]);
  useEffect(() => {
    api.askAgain = () => new Promise((answer) => setWaiting((before) => [...before, answer]));
    return () => {
      api.askAgain = null;
    };
  }, [api]);
  const settle = (shown: boolean) => {
    waiting.forEach((answer) => answer(shown));
    setWaiting([]);
  };
  return (
    <Dialog title={t('again.title')} size={420} opened={waiting.length > 0} onClose={() => settle(false)}>
      <AgainForm username={username} onDone={settle} />
    </Dialog>
  );
}

function AgainForm({ username, onDone }: { username: string; onDone: (shown: boolean) => void }) {
  const { t } = useWords();
  const api = useApi();
  const form = useForm();
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password === '') return form.refuse({ password: t('field.required') });
    void form.run(async () => {
      try {
        await api.confirm(password);
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'wrong_credentials')) throw error;
        return form.refuse({ password: t('settings.password_wrong') });
      }
      onDone(true);
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <Text c="dimmed">{t('again.hint')}</Text>
        <input type="hidden" name="username" autoComplete="username" value={username} readOnly />
        <PasswordField
          label={t('auth.password')}
          value={password}
          onChange={setPassword}
          error={form.errors.password}
          fresh={false}
        />
        <FaultAlert fault={form.fault} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={() => onDone(false)}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={form.busy}>
            {t('again.go')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
