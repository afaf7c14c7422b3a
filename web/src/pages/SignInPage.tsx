import { Alert, Anchor, Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { ApiError } from '../api/client';
import { leaveFor, startPath } from '../app/journey';
import { useApi } from '../app/services';
import { useSession } from '../app/session';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { Failure, ProviderButton, useFailure } from './ByProvider';
import { CodeField, PasswordField, UsernameField, type FieldErrors } from './fields';
import { useForm } from './useForm';

export function SignInPage() {
  const { step } = useSearch({ from: '/signin' });
  return step === 'code' ? <CodeStep /> : <SignIn />;
}

function SignIn() {
  const { t, language } = useWords();
  const api = useApi();
  const session = useSession();
  const router = useRouter();
  const navigate = useNavigate();
  const { next } = useSearch({ from: '/signin' });
  const [signedOut] = useState(session.signedOutByServer);
  const failed = useFailure();
  const { submit, form, fields } = useSignIn(() => router.history.replace(next ?? '/home'));
  const setup = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded, retry: false });
  const setupNeeded = setup.data?.needed === true;
  useEffect(() => {
    if (setupNeeded) void navigate({ to: '/setup', replace: true });
  }, [setupNeeded, navigate]);
  const provider = setup.data?.oidc ?? null;
  return (
    <AuthFrame title={t('auth.sign_in_title')} onSubmit={submit}>
      <Failure code={failed} />
      {signedOut && (
        <Alert role="status" variant="light" styles={{ message: { color: 'var(--weft-text)' } }}>
          {t('auth.signed_out')}
        </Alert>
      )}
      {fields}
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('auth.sign_in')}
      </Button>
      {provider !== null && (
        <ProviderButton onClick={() => leaveFor(startPath(next, language))}>
          {t('oidc.sign_in', { name: provider.name })}
        </ProviderButton>
      )}
      <Text ta="center">
        <Anchor component={Link} to="/forgotten">
          {t('reset.forgotten')}
        </Anchor>
      </Text>
      {setup.data?.registration === 'open' && (
        <Text ta="center">
          <Anchor component={Link} to="/register">
            {t('auth.register_link')}
          </Anchor>
        </Text>
      )}
    </AuthFrame>
  );
}

/** The provider has vouched for somebody who has a second factor here. */
function CodeStep() {
  const { t } = useWords();
  const api = useApi();
  const session = useSession();
  const router = useRouter();
  const { next } = useSearch({ from: '/signin' });
  const form = useForm();
  const [code, setCode] = useState('');
  const again = () => {
    const search = next === undefined ? {} : { next };
    void router.navigate({ to: '/signin', search, replace: true });
  };
  const submit = () => {
    if (code.trim() === '') return form.refuse({ code: t('field.required') });
    void form.run(async () => {
      await api.showCode(code.trim());
      await session.enter();
      router.history.replace(next ?? '/home');
    });
  };
  return (
    <AuthFrame title={t('oidc.code_title')} lead={t('oidc.code_lead')} onSubmit={submit}>
      <CodeField hint={t('factor.code_hint')} value={code} onChange={setCode} error={form.errors.code} autoFocus />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('auth.sign_in')}
      </Button>
      <Text ta="center">
        <Anchor component="button" type="button" onClick={again}>
          {t('oidc.another_way')}
        </Anchor>
      </Text>
    </AuthFrame>
  );
}

/** The fields of signing in, with that of a code once the server asks for it, and what happens with them; also used by the invite page. */
export function useSignIn(onDone: () => void | Promise<void>) {
  const { t } = useWords();
  const api = useApi();
  const session = useSession();
  const form = useForm();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asksCode, setAsksCode] = useState(false);
  const submit = () => {
    const missing: FieldErrors = {};
    if (username.trim() === '') missing.username = t('field.required');
    if (password === '') missing.password = t('field.required');
    if (asksCode && code.trim() === '') missing.code = t('field.required');
    if (Object.keys(missing).length > 0) return form.refuse(missing);
    void form.run(async () => {
      try {
        await api.login(username.trim(), password, code.trim());
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'second_factor_needed')) throw error;
        return setAsksCode(true);
      }
      await session.enter();
      await onDone();
    });
  };
  const fields = (
    <>
      <UsernameField
        value={username}
        onChange={setUsername}
        error={form.errors.username}
        autoFocus
      />
      <PasswordField
        value={password}
        onChange={setPassword}
        error={form.errors.password}
        fresh={false}
      />
      {asksCode && (
        <CodeField
          hint={t('factor.code_hint')}
          value={code}
          onChange={setCode}
          error={form.errors.code}
          autoFocus
        />
      )}
    </>
  );
  return { submit, form, fields };
}
