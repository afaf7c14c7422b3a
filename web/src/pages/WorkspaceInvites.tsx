/** Links with which people make themselves an account. */
import { Button, NativeSelect, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { SHARE_DAYS, INVITE_DAYS_DEFAULT, INVITE_USES_DEFAULT, INVITE_USES_MAX } from '../api/share';
import type { WorkspaceInvite } from '../api/types';
import { useWorkspaceInviteActs, useWorkspaceInvites } from '../api/workspace';
import { useWhen, useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { FreshLink, inviteLink } from '../ui/FreshLink';
import { toast, toastError } from '../ui/toast';
import classes from './Settings.module.css';

export function WorkspaceInvites() {
  const { t } = useWords();
  const invites = useWorkspaceInvites();
  const { create } = useWorkspaceInviteActs();
  const [email, setEmail] = useState('');
  const [days, setDays] = useState(INVITE_DAYS_DEFAULT);
  const [uses, setUses] = useState(INVITE_USES_DEFAULT);
  const forOne = email.trim() !== '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ days, uses, email: email.trim() });
  };
  const fault = create.error ?? (invites.data === undefined ? invites.error : null);
  return (
    <Stack gap={16}>
      <form onSubmit={submit} noValidate className={classes.form}>
        <div className={classes.wish}>
          <TextInput
            type="email"
            label={t('admin.invite_email')}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
          <NativeSelect
            label={t('share.link_days')}
            value={String(days)}
            onChange={(event) => setDays(Number(event.currentTarget.value))}
            data={SHARE_DAYS.map((count) => ({ value: String(count), label: t('share.days', { count }) }))}
          />
          <NumberInput
            label={t('share.link_uses')}
            value={forOne ? 1 : uses}
            disabled={forOne}
            min={1}
            max={INVITE_USES_MAX}
            allowDecimal={false}
            allowNegative={false}
            clampBehavior="blur"
            hideControls
            onChange={(value) => setUses(Number(value) || 1)}
          />
        </div>
        <Button
          type="submit"
          variant={create.data === undefined ? 'filled' : 'default'}
          loading={create.isPending}
        >
          {t('share.link_create')}
        </Button>
      </form>
      <FaultAlert fault={fault === null ? null : asApiError(fault)} />
      {create.data !== undefined && <FreshLink link={inviteLink(create.data.secret)} />}
      {invites.data !== undefined && invites.data.length > 0 && (
        <ul className={classes.list} aria-label={t('share.link_active')}>
          {invites.data.map((invite) => (
            <InviteRow key={invite.id} invite={invite} />
          ))}
        </ul>
      )}
    </Stack>
  );
}

function InviteRow({ invite }: { invite: WorkspaceInvite }) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { remove } = useWorkspaceInviteActs();
  const name = invite.email ?? t('admin.invite_anybody');
  const revoke = () =>
    remove.mutate(invite.id, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => toast({ message: t('share.link_revoked') }),
    });
  return (
    <li className={classes.row}>
      <span className={classes.text}>
        <Text span>{name}</Text>
        <Text span fz={12} c="dimmed" title={full(invite.expires_at)}>
          {t('admin.invite_used', { uses: invite.uses, count: invite.uses_max })}
          {' · '}
          {t('share.link_expires', { time: when(invite.expires_at) })}
          {' · '}
          {invite.invited_by.name}
        </Text>
      </span>
      <Button
        variant="subtle"
        color="red"
        loading={remove.isPending}
        aria-label={t('tokens.revoke_name', { name })}
        onClick={revoke}
      >
        {t('tokens.revoke')}
      </Button>
    </li>
  );
}
