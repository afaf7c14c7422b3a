import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useSignInActs } from '../api/account';
import { ApiError } from '../api/client';
import type { User } from '../api/types';
import { ME_KEY } from '../app/session';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { PASSWORD_CHARS_MIN } from '../ui/password';
import { toast } from '../ui/toast';
import { PasswordField, PresentPassword, type FieldErrors } from './fields';
import classes from './Settings.module.css';
import { useForm } from './useForm';

export function PasswordForm({ user }: { user: User }) {
  const { t } = useWords();
  const form = useForm();
  const queries = useQueryClient();
  const { changePassword } = useSignInActs();
  const [password, setPassword] = useState('');
  const [fresh, setFresh] = useState('');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrong: FieldErrors = {};
    if (user.has_password && password === '') wrong.password = t('field.required');
    if ([...fresh].length < PASSWORD_CHARS_MIN) wrong.new_password = t('field.password_rule');
    if (Object.keys(wrong).length > 0) return form.refuse(wrong);
    void form.run(async () => {
      try {
        await changePassword.mutateAsync({ password, fresh });
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'wrong_credentials')) throw error;
        return form.refuse({ password: t('settings.password_wrong') });
      }
      setPassword('');
      setFresh('');
      if (!user.has_password) await queries.invalidateQueries({ queryKey: ME_KEY });
      toast({ message: t('settings.password_changed') });
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {/* For password managers: whose password it is. */}
      <input type="hidden" name="username" autoComplete="username" value={user.username} readOnly />
      <PresentPassword
        user={user}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
      />
      <PasswordField
        name="new_password"
        label={t('settings.password_new')}
        value={fresh}
        onChange={setFresh}
        error={form.errors.new_password}
        fresh
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy}>
        {user.has_password ? t('settings.password_change') : t('settings.password_set')}
      </Button>
    </form>
  );
}
