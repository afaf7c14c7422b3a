/** The second factor: turning it on, with what to keep for the day one loses the device, and off. */
import { Button, Code, Group, List, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { FactorSecret, User } from '../api/types';
import { useApi } from '../app/services';
import { ME_KEY } from '../app/session';
import { useWords } from '../i18n/hooks';
import { copyText } from '../ui/clipboard';
import { Dialog } from '../ui/Dialog';
import { FaultAlert } from '../ui/FaultAlert';
import { QrCode } from '../ui/QrCode';
import { toast, toastError } from '../ui/toast';
import { CodeField, PresentPassword } from './fields';
import classes from './Settings.module.css';
import { useForm } from './useForm';
import { usePasswordForm } from './usePasswordForm';

export function SecondFactor({ user }: { user: User }) {
  const on = user.second_factor;
  const { t } = useWords();
  const queries = useQueryClient();
  const [opened, setOpened] = useState(false);
  // The dialog stays what it was opened for, until it is gone.
  const [wasOn, setWasOn] = useState(on);
  const open = () => {
    setWasOn(on);
    setOpened(true);
  };
  const close = () => {
    setOpened(false);
    void queries.invalidateQueries({ queryKey: ME_KEY });
  };
  const title = (isOn: boolean) => (isOn ? t('factor.turn_off') : t('factor.turn_on'));
  return (
    <Stack gap={12} align="flex-start">
      <Text fw={600}>{on ? t('factor.on') : t('factor.off')}</Text>
      <Button variant="default" onClick={open}>
        {title(on)}
      </Button>
      <Dialog title={title(wasOn)} size={480} opened={opened} onClose={close} closeOnClickOutside={false}>
        {wasOn ? <TurnOff user={user} onDone={close} /> : <TurnOn user={user} onDone={close} />}
      </Dialog>
    </Stack>
  );
}

function TurnOn({ user, onDone }: { user: User; onDone: () => void }) {
  const [secret, setSecret] = useState<FactorSecret | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes !== null) return <RecoveryCodes codes={codes} onDone={onDone} />;
  if (secret !== null) return <Confirm secret={secret} onCodes={setCodes} />;
  return <AskPassword user={user} onSecret={setSecret} />;
}

function AskPassword({ user, onSecret }: { user: User; onSecret: (secret: FactorSecret) => void }) {
  const { t } = useWords();
  const api = useApi();
  const { withPassword, ...form } = usePasswordForm();
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user.has_password && password === '') return form.refuse({ password: t('field.required') });
    withPassword(async () => onSecret(await api.beginSecondFactor(password)));
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <Text>{t('factor.password_first')}</Text>
      <PresentPassword
        user={user}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy}>
        {t('factor.next')}
      </Button>
    </form>
  );
}

function Confirm({ secret, onCodes }: { secret: FactorSecret; onCodes: (codes: string[]) => void }) {
  const { t } = useWords();
  const api = useApi();
  const form = useForm();
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() === '') return form.refuse({ code: t('field.required') });
    void form.run(async () => onCodes(await api.confirmSecondFactor(code)));
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <Text>{t('factor.scan')}</Text>
      <Group justify="center">
        <QrCode text={secret.uri} label={t('factor.qr')} size={200} />
      </Group>
      <div>
        <Text fz={12} c="dimmed">
          {t('factor.type_instead')}
        </Text>
        <Code data-testid="factor-secret" fz={14} style={{ overflowWrap: 'anywhere' }}>
          {secret.secret.replace(/.{4}(?=.)/g, '$& ')}
        </Code>
      </div>
      <CodeField
        hint={t('factor.code_shown')}
        value={code}
        onChange={setCode}
        error={form.errors.code}
        autoFocus
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy}>
        {t('factor.turn_on')}
      </Button>
    </form>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useWords();
  const copy = async () => {
    if (await copyText(codes.join('\n'))) toast({ message: t('factor.codes_copied') });
    else toastError(t('code.copy_failed'));
  };
  return (
    <Stack gap={16}>
      <Text role="status">{t('factor.codes_lead')}</Text>
      <List listStyleType="none" aria-label={t('factor.codes')} data-testid="recovery-codes">
        {codes.map((code) => (
          <List.Item key={code}>
            <Code fz={14}>{code}</Code>
          </List.Item>
        ))}
      </List>
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={() => void copy()}>
          {t('factor.codes_copy')}
        </Button>
        <Button onClick={onDone}>{t('factor.codes_kept')}</Button>
      </Group>
    </Stack>
  );
}

function TurnOff({ user, onDone }: { user: User; onDone: () => void }) {
  const { t } = useWords();
  const api = useApi();
  const { withPassword, ...form } = usePasswordForm();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user.has_password && password === '') return form.refuse({ password: t('field.required') });
    if (code.trim() === '') return form.refuse({ code: t('field.required') });
    withPassword(async () => {
      await api.turnOffSecondFactor(password, code);
      toast({ message: t('factor.turned_off') });
      onDone();
    });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <PresentPassword
        user={user}
        value={password}
        onChange={setPassword}
        error={form.errors.password}
      />
      <CodeField
        hint={t('factor.code_hint')}
        value={code}
        onChange={setCode}
        error={form.errors.code}
      />
      <FaultAlert fault={form.fault} />
      <Button type="submit" color="red" loading={form.busy}>
        {t('factor.turn_off')}
      </Button>
    </form>
  );
}
