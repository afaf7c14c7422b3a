/** Somebody cannot sign in any more: a link by mail or, where there is none, from an administrator. */
import { Anchor, Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { Field } from './fields';
import { useForm } from './useForm';

export function ForgottenPage() {
  const { t } = useWords();
  const api = useApi();
  const setup = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded, retry: false });
  const [asked, setAsked] = useState(false);
  const back = (
    <Text ta="center">
      <Anchor component={Link} to="/signin">
        {t('reset.back')}
      </Anchor>
    </Text>
  );
  if (setup.data?.mail === true && !asked) return <AskForm onAsked={() => setAsked(true)} back={back} />;
  return (
    <AuthFrame title={t('reset.forgotten')}>
      {setup.data !== undefined && (
        <Text role="status">{t(asked ? 'reset.asked' : 'reset.ask_admin')}</Text>
      )}
      {back}
    </AuthFrame>
  );
}

function AskForm({ onAsked, back }: { onAsked: () => void; back: React.ReactNode }) {
  const { t } = useWords();
  const api = useApi();
  const form = useForm();
  const [username, setUsername] = useState('');
  const submit = () => {
    if (username.trim() === '') return form.refuse({ username: t('field.required') });
    void form.run(async () => {
      await api.askReset(username.trim());
      onAsked();
    });
  };
  return (
    <AuthFrame title={t('reset.forgotten')} lead={t('reset.lead')} onSubmit={submit}>
      <Field
        name="username"
        label={t('reset.who')}
        value={username}
        onChange={setUsername}
        error={form.errors.username}
        autoComplete="username"
        maxLength={254}
        autoFocus
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('reset.send')}
      </Button>
      {back}
    </AuthFrame>
  );
}
