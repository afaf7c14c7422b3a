/** Asks for the password, or leads to the provider, when one's sign-in is too old for what one is about to do, and goes on then. */
import { Button, Divider, Group, Stack, Text } from '@mantine/core';
import { useEffect, useState, type FormEvent } from 'react';
import { useIdentity } from '../api/account';
import { ApiError } from '../api/client';
import type { User } from '../api/types';
import { leaveFor } from '../app/journey';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { PasswordField } from '../pages/fields';
import { useForm } from '../pages/useForm';
import { Dialog } from './Dialog';
import { FaultAlert } from './FaultAlert';

export function AskAgain({ user }: { user: User }) {
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
      <Again user={user} onDone={settle} />
    </Dialog>
  );
}

interface Props {
  user: User;
  onDone: (shown: boolean) => void;
}

function Again({ user, onDone }: Props) {
  const { t } = useWords();
  const identity = useIdentity();
  const provider = identity.data?.linked_at === null ? undefined : identity.data?.provider;
  if (identity.isPending) return <div aria-busy="true" />;
  return (
    <Stack gap={16}>
      {user.has_password && <AgainForm username={user.username} onDone={onDone} />}
      {user.has_password && provider !== undefined && (
        <Divider label={t('oidc.or')} styles={{ label: { color: 'var(--weft-dim)' } }} />
      )}
      {provider !== undefined && <AtProvider name={provider} alone={!user.has_password} />}
      {!user.has_password && provider === undefined && <Text>{t('again.no_way')}</Text>}
    </Stack>
  );
}

/** The app is left for it, so that whoever comes back begins again. */
function AtProvider({ name, alone }: { name: string; alone: boolean }) {
  const { t } = useWords();
  const api = useApi();
  const form = useForm();
  const go = () => {
    const { pathname, search } = window.location;
    void form.run(async () => leaveFor(await api.confirmByProvider(pathname + search)));
  };
  return (
    <>
      {alone && <Text c="dimmed">{t('again.hint_provider', { name })}</Text>}
      <FaultAlert fault={form.fault} />
      <Button variant={alone ? 'filled' : 'default'} loading={form.busy} onClick={go}>
        {t('again.provider', { name })}
      </Button>
    </>
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
