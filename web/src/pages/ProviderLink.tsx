/** Signing in by way of the provider: linking it to one's account, and unlinking it. */
import { Button, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { IDENTITY_KEY, useIdentity } from '../api/account';
import type { Identity, User } from '../api/types';
import { leaveFor } from '../app/journey';
import { useApi } from '../app/services';
import { useWhen, useWords } from '../i18n/hooks';
import { Dialog } from '../ui/Dialog';
import { FaultAlert } from '../ui/FaultAlert';
import { toast } from '../ui/toast';
import { PresentPassword } from './fields';
import { Section } from './Section';
import classes from './Settings.module.css';
import { usePasswordForm } from './usePasswordForm';

/** Nothing where the server has no provider. */
export function ProviderLink({ user }: { user: User }) {
  const { t } = useWords();
  const { data: identity } = useIdentity();
  if (identity === undefined || identity === null) return null;
  return (
    <Section title={t('oidc.title', { name: identity.provider })} lead={t('oidc.lead')}>
      <State identity={identity} user={user} />
    </Section>
  );
}

function State({ identity, user }: { identity: Identity; user: User }) {
  const { t } = useWords();
  const when = useWhen();
  const [opened, setOpened] = useState(false);
  const { provider: name, linked_at: at } = identity;
  // The dialog stays what it was opened for, until it is gone.
  const [linking, setLinking] = useState(false);
  const title = (links: boolean) => (links ? t('oidc.link', { name }) : t('oidc.unlink', { name }));
  const open = () => {
    setLinking(at === null);
    setOpened(true);
  };
  return (
    <Stack gap={12} align="flex-start">
      <Text fw={600}>{at === null ? t('oidc.not_linked') : t('oidc.linked', { time: when(at) })}</Text>
      {at === null || user.has_password ? (
        <Button variant="default" onClick={open}>
          {title(at === null)}
        </Button>
      ) : (
        <Text c="dimmed">{t('oidc.password_first')}</Text>
      )}
      <Dialog title={title(linking)} size={420} opened={opened} onClose={() => setOpened(false)}>
        <Change name={name} links={linking} user={user} onDone={() => setOpened(false)} />
      </Dialog>
    </Stack>
  );
}

interface ChangeProps {
  name: string;
  links: boolean;
  user: User;
  onDone: () => void;
}

function Change({ name, links, user, onDone }: ChangeProps) {
  const { t } = useWords();
  const api = useApi();
  const queries = useQueryClient();
  const { withPassword, ...form } = usePasswordForm();
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user.has_password && password === '') return form.refuse({ password: t('field.required') });
    withPassword(async () => {
      if (links) return leaveFor(await api.linkIdentity(password));
      await api.unlinkIdentity(password);
      await queries.invalidateQueries({ queryKey: IDENTITY_KEY });
      toast({ message: t('oidc.unlinked', { name }) });
      onDone();
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <Text>{links ? t('oidc.link_hint', { name }) : t('oidc.unlink_hint')}</Text>
      <PresentPassword
        user={user}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy}>
        {links ? t('oidc.link', { name }) : t('oidc.unlink', { name })}
      </Button>
    </form>
  );
}
