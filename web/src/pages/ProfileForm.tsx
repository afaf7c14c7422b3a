import { Button, Select } from '@mantine/core';
import { useMemo, useState, type FormEvent } from 'react';
import { useChangeProfile } from '../api/account';
import type { User } from '../api/types';
import { useWords } from '../i18n/hooks';
import { zones } from '../i18n/zone';
import { FaultAlert } from '../ui/FaultAlert';
import { toast } from '../ui/toast';
import { Field, PasswordField } from './fields';
import classes from './Settings.module.css';
import { usePasswordForm } from './usePasswordForm';
import { Verification } from './Verification';

/** Stands in the list for no zone of one's own. */
const BROWSERS_OWN = 'browser';

export function ProfileForm({ user }: { user: User }) {
  const { t } = useWords();
  const change = useChangeProfile();
  const { withPassword, ...form } = usePasswordForm();
  const [name, setName] = useState(user.name);
  const [email, setEmail] = useState(user.email ?? '');
  const [password, setPassword] = useState('');
  const [phone, setPhone] = useState(user.phone ?? '');
  const [zone, setZone] = useState(user.time_zone ?? '');
  const choices = useMemo(() => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const own = { value: BROWSERS_OWN, label: t('settings.zone_browser', { zone: here }) };
    return [own, ...zones(user.time_zone).map((each) => ({ value: each, label: each }))];
  }, [t, user.time_zone]);

  // Whoever reads its mail can set a new password.
  const moves = email.trim() !== (user.email ?? '');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === '') return form.refuse({ name: t('field.required') });
    if (moves && user.has_password && password === '') return form.refuse({ password: t('field.required') });
    withPassword(async () => {
      await change({ name, email, phone, time_zone: zone, ...(password === '' ? {} : { password }) });
      setPassword('');
      toast({ message: t('settings.profile_changed') });
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <Field
        name="name"
        label={t('auth.name')}
        description={t('auth.name_hint')}
        value={name}
        onChange={setName}
        error={form.errors.name}
        autoComplete="name"
        maxLength={64}
      />
      <Field
        name="email"
        type="email"
        label={t('auth.email_optional')}
        value={email}
        onChange={setEmail}
        error={form.errors.email}
        autoComplete="email"
      />
      {moves && user.has_password && (
        <PasswordField
          label={t('settings.password_now')}
          value={password}
          onChange={setPassword}
          error={form.errors.password}
          fresh={false}
        />
      )}
      {!moves && user.email !== null && <Verification verified={user.email_verified} />}
      <Field
        name="phone"
        type="tel"
        label={t('settings.phone')}
        value={phone}
        onChange={setPhone}
        error={form.errors.phone}
        autoComplete="tel"
        maxLength={32}
      />
      <Select
        label={t('settings.zone')}
        description={t('settings.zone_hint')}
        searchable
        allowDeselect={false}
        value={zone === '' ? BROWSERS_OWN : zone}
        onChange={(value) => setZone(value === null || value === BROWSERS_OWN ? '' : value)}
        data={choices}
        nothingFoundMessage={t('settings.zone_none')}
        maxDropdownHeight={280}
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy}>
        {t('action.save')}
      </Button>
    </form>
  );
}
