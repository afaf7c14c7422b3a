/** Leaving for good, with what one owns going to somebody else. */
import { Button, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { User } from '../api/types';
import { useServices } from '../app/services';
import { useSession } from '../app/session';
import { useWords } from '../i18n/hooks';
import { Dialog } from '../ui/Dialog';
import { FaultAlert } from '../ui/FaultAlert';
import { CodeField, Field, PresentPassword, type FieldErrors } from './fields';
import classes from './Settings.module.css';
import { usePasswordForm } from './usePasswordForm';

export function DeleteAccount({ user }: { user: User }) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" c="var(--weft-error)" onClick={() => setOpened(true)}>
        {t('leave.delete')}
      </Button>
      <Dialog
        title={t('leave.title')}
        size={480}
        opened={opened}
        onClose={() => setOpened(false)}
        closeOnClickOutside={false}
      >
        <DeleteForm user={user} />
      </Dialog>
    </>
  );
}

function DeleteForm({ user }: { user: User }) {
  const { t } = useWords();
  const services = useServices();
  const session = useSession();
  const { withPassword, ...form } = usePasswordForm();
  const [heir, setHeir] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const missing: FieldErrors = {};
    if (user.has_password && password === '') missing.password = t('field.required');
    if (user.second_factor && code.trim() === '') missing.code = t('field.required');
    if (Object.keys(missing).length > 0) return form.refuse(missing);
    withPassword(async () => {
      // The connection hears of it too; that must not read as having been thrown out.
      session.leaving = true;
      try {
        await services.api.leave(password, code.trim(), heir.trim());
      } catch (error) {
        session.leaving = false;
        throw error;
      }
      await session.end();
      await services.forget(user.id);
      session.leave();
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <Text>{t('leave.question')}</Text>
      <Field
        name="heir"
        label={t('leave.heir_optional')}
        description={t('leave.heir_hint')}
        value={heir}
        onChange={setHeir}
        error={form.errors.heir}
        autoComplete="off"
        maxLength={32}
      />
      <PresentPassword
        user={user}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
      />
      {user.second_factor && (
        <CodeField hint={t('factor.code_hint')} value={code} onChange={setCode} error={form.errors.code} />
      )}
      <FaultAlert fault={form.fault} />
      <Button type="submit" color="red" loading={form.busy}>
        {t('leave.delete')}
      </Button>
    </form>
  );
}
