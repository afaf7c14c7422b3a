/** Where one is signed in, and the end of that. */
import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useSignInActs, useSignIns } from '../api/account';
import { asApiError } from '../api/client';
import type { SignIn } from '../api/types';
import { useWhen, useWords } from '../i18n/hooks';
import type { Translate } from '../i18n/time';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { deviceOf } from '../ui/device';
import { FaultAlert } from '../ui/FaultAlert';
import { toast, toastError } from '../ui/toast';
import classes from './Settings.module.css';

export function Devices() {
  const { t, fault } = useWords();
  const signIns = useSignIns();
  const { endOthers } = useSignInActs();
  const [asking, setAsking] = useState(false);
  const onEnd = () =>
    endOthers.mutate(undefined, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => toast({ message: t('settings.others_ended') }),
    });
  if (signIns.data === undefined) {
    return signIns.isError ? <FaultAlert fault={asApiError(signIns.error)} /> : <Skeleton h={56} />;
  }
  // The one that asks stands first, whichever was used last.
  const sorted = [...signIns.data].sort((a, b) => Number(b.current) - Number(a.current));
  return (
    <Stack gap={16} align="flex-start">
      <ul className={classes.list} aria-label={t('settings.devices')} style={{ width: '100%' }}>
        {sorted.map((signIn) => (
          <DeviceRow key={signIn.id} signIn={signIn} />
        ))}
      </ul>
      {sorted.length > 1 && (
        <Button variant="default" loading={endOthers.isPending} onClick={() => setAsking(true)}>
          {t('settings.end_others')}
        </Button>
      )}
      <ConfirmDialog
        opened={asking}
        question={t('settings.end_others_question')}
        yes={t('auth.sign_out')}
        onYes={onEnd}
        onClose={() => setAsking(false)}
      />
    </Stack>
  );
}

function DeviceRow({ signIn }: { signIn: SignIn }) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { end } = useSignInActs();
  const [asking, setAsking] = useState(false);
  const name = deviceName(t, signIn.user_agent);
  const onEnd = () =>
    end.mutate(signIn.id, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => toast({ message: t('settings.ended', { name }) }),
    });
  return (
    <li className={classes.row}>
      <span className={classes.text}>
        <Text span fw={600} title={signIn.user_agent}>
          {name}
        </Text>
        <Text span fz={12} c="dimmed" title={full(signIn.created_at)}>
          {signIn.current ? t('settings.this_device') : t('tokens.used', { time: when(signIn.used_at) })}
          {' · '}
          {t('settings.since', { time: when(signIn.created_at) })}
        </Text>
      </span>
      {!signIn.current && (
        <Button
          variant="subtle"
          color="red"
          loading={end.isPending}
          aria-label={t('settings.end_name', { name })}
          onClick={() => setAsking(true)}
        >
          {t('auth.sign_out')}
        </Button>
      )}
      <ConfirmDialog
        opened={asking}
        question={t('settings.end_question', { name })}
        yes={t('auth.sign_out')}
        onYes={onEnd}
        onClose={() => setAsking(false)}
      />
    </li>
  );
}

function deviceName(t: Translate, userAgent: string): string {
  const { program, system } = deviceOf(userAgent);
  if (program !== null && system !== null) return t('settings.device', { program, system });
  return program ?? system ?? t('settings.device_unknown');
}
