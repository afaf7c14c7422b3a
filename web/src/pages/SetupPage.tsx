import { Anchor, Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { takeHashSecret } from '../app/secret';
import { useApi } from '../app/services';
import { useSession } from '../app/session';
import { htmlLang } from '../i18n';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { Field, PasswordField, UsernameField, type FieldErrors } from './fields';
import { useForm } from './useForm';

export function SetupPage() {
  const { t } = useWords();
  const api = useApi();
  const [secret] = useState(takeHashSecret);
  const needed = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded });
  if (needed.data?.needed === false) {
    return (
      <AuthFrame title={t('setup.title')} lead={t('setup.done')}>
        <Text>
          <Anchor component={Link} to="/signin">
            {t('auth.sign_in')}
          </Anchor>
        </Text>
      </AuthFrame>
    );
  }
  if (secret === '') return <AuthFrame title={t('setup.title')} lead={t('setup.no_secret')} />;
  return <SetupForm secret={secret} />;
}

function SetupForm({ secret }: { secret: string }) {
  const { t, language } = useWords();
  const api = useApi();
  const session = useSession();
  const navigate = useNavigate();
  const form = useForm();
  const [workspace, setWorkspace] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [email, setEmail] = useState('');

  const submit = () => {
    const missing: FieldErrors = {};
    if (username.trim() === '') missing.username = t('field.required');
    if ([...password].length < 8) missing.password = t('field.password_rule');
    if (Object.keys(missing).length > 0) return form.refuse(missing);
    void form.run(async () => {
      const { welcome_room } = await api.setup({
        secret,
        username: username.trim(),
        password,
        workspace: workspace.trim() || t('setup.workspace_default'),
        language: htmlLang(language),
        ...(email.trim() === '' ? {} : { email: email.trim() }),
      });
      await session.enter();
      await navigate({ to: '/o/$id', params: { id: welcome_room }, replace: true, state: { caret: true } });
    });
  };

  return (
    <AuthFrame title={t('setup.title')} lead={t('setup.lead')} onSubmit={submit}>
      <Field
        name="workspace"
        label={t('setup.workspace')}
        placeholder={t('setup.workspace_default')}
        value={workspace}
        onChange={setWorkspace}
        error={form.errors.workspace}
        autoComplete="organization"
        maxLength={64}
        autoFocus
      />
      <UsernameField value={username} onChange={setUsername} error={form.errors.username} hint />
      <PasswordField value={password} onChange={setPassword} error={form.errors.password} fresh />
      <Field
        name="email"
        type="email"
        label={t('auth.email_optional')}
        value={email}
        onChange={setEmail}
        error={form.errors.email}
        autoComplete="email"
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('setup.go')}
      </Button>
    </AuthFrame>
  );
}
