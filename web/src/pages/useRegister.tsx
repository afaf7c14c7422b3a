/** The fields of a new account; used with an invite link and with open registration. */
import { useState } from 'react';
import { useApi } from '../app/services';
import { useSession } from '../app/session';
import { htmlLang } from '../i18n';
import { useWords } from '../i18n/hooks';
import { Field, PasswordField, UsernameField, type FieldErrors } from './fields';
import { useForm } from './useForm';

interface Options {
  /** Secret of the invite link; without it an e-mail address is asked for. */
  invite: string | null;
  /** The address that the link is for. */
  email?: string | null;
  onDone: () => void | Promise<void>;
}

export function useRegister({ invite, email: invited = null, onDone }: Options) {
  const { t, language } = useWords();
  const api = useApi();
  const session = useSession();
  const form = useForm();
  const [name, setName] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [email, setEmail] = useState(invited ?? '');
  const asksEmail = invite === null || invited !== null;

  const submit = () => {
    const missing: FieldErrors = {};
    if (username.trim() === '') missing.username = t('field.required');
    if (invite === null && email.trim() === '') missing.email = t('field.required');
    if ([...password].length < 8) missing.password = t('field.password_rule');
    if (Object.keys(missing).length > 0) return form.refuse(missing);
    void form.run(async () => {
      await api.register({
        username: username.trim(),
        password,
        language: htmlLang(language),
        ...(name.trim() === '' ? {} : { name: name.trim() }),
        ...(asksEmail ? { email: email.trim() } : {}),
        ...(invite === null ? {} : { invite }),
      });
      await session.enter();
      await onDone();
    });
  };

  const fields = (
    <>
      <Field
        name="name"
        label={t('auth.name')}
        description={t('auth.name_hint')}
        value={name}
        onChange={setName}
        error={form.errors.name}
        autoComplete="name"
        maxLength={64}
        autoFocus
      />
      <UsernameField value={username} onChange={setUsername} error={form.errors.username} hint />
      {asksEmail && (
        <Field
          name="email"
          type="email"
          label={t('auth.email')}
          value={email}
          onChange={setEmail}
          error={form.errors.email}
          autoComplete="email"
        />
      )}
      <PasswordField value={password} onChange={setPassword} error={form.errors.password} fresh />
    </>
  );
  return { submit, form, fields };
}
