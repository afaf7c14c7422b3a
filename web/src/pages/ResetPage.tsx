/** A link to set a new password was opened. */
import { Anchor, Button, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { takeHashSecret } from '../app/secret';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { PASSWORD_CHARS_MIN } from '../ui/password';
import { AuthFrame } from './AuthFrame';
import { PasswordField } from './fields';
import { useForm } from './useForm';

export function ResetPage() {
  const { t } = useWords();
  const api = useApi();
  const form = useForm();
  const [secret] = useState(takeHashSecret);
  const [password, setPassword] = useState('');
  const [username, setUsername] = useState<string | null>(null);
  if (username !== null) {
    return (
      <AuthFrame title={t('reset.title')}>
        <Text role="status">{t('reset.done', { username })}</Text>
        <Button component={Link} to="/signin" fullWidth>
          {t('auth.sign_in')}
        </Button>
      </AuthFrame>
    );
  }
  if (secret === '' || form.fault?.code === 'link_expired') {
    return (
      <AuthFrame title={t('reset.title')}>
        <Text role="status">{t('link.expired')}</Text>
        <Text>
          <Anchor component={Link} to="/forgotten">
            {t('reset.forgotten')}
          </Anchor>
        </Text>
      </AuthFrame>
    );
  }
  const submit = () => {
    if ([...password].length < PASSWORD_CHARS_MIN) {
      return form.refuse({ password: t('field.password_rule') });
    }
    void form.run(async () => setUsername((await api.resetPassword(secret, password)).username));
  };
  return (
    <AuthFrame title={t('reset.title')} lead={t('reset.title_lead')} onSubmit={submit}>
      <PasswordField
        label={t('settings.password_new')}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
        fresh
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('reset.set')}
      </Button>
    </AuthFrame>
  );
}
