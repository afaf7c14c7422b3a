import { Button, NativeSelect, NumberInput, Text } from '@mantine/core';
import { useState } from 'react';
import { asApiError } from '../api/client';
import {
    INVITE_DAYS_DEFAULT,
  INVITE_USES_DEFAULT,
  INVITE_USES_MAX,
  SHARE_DAYS,
  useInviteActs,
  useInvites,
} from '../api/share';
import type { GrantRight, Invite } from '../api/types';
import { rightName } from '../i18n/faults';
import { useWhen, useWords } from '../i18n/hooks';
import { FaultAlert } from './FaultAlert';
import { FreshLink, inviteLink } from './FreshLink';
import { RightSelect } from './RightSelect';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

export function ShareLinks({ room }: { room: { id: string } }) {
  const { t } = useWords();
  const invites = useInvites(room.id, true);
  const { create } = useInviteActs(room.id);
  const [right, setRight] = useState<GrantRight>('edit');
  const [days, setDays] = useState(INVITE_DAYS_DEFAULT);
  const [uses, setUses] = useState(INVITE_USES_DEFAULT);
  const link = create.data === undefined ? null : inviteLink(create.data.secret);

  return (
    <section aria-label={t('share.links')}>
      <Text fw={600}>{t('share.links')}</Text>
      <Text fz={12} c="dimmed" mb={12}>
        {t('share.links_hint')}
      </Text>
      <div className={classes.wish}>
        <RightSelect label={t('share.right')} value={right} onChange={setRight} />
        <NativeSelect
          label={t('share.link_days')}
          value={String(days)}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={SHARE_DAYS.map((count) => ({
            value: String(count),
            label: t('share.days', { count }),
          }))}
        />
        <NumberInput
          label={t('share.link_uses')}
          value={uses}
          min={1}
          max={INVITE_USES_MAX}
          allowDecimal={false}
          allowNegative={false}
          clampBehavior="blur"
          hideControls
          onChange={(value) => setUses(Number(value) || 1)}
        />
        <Button
          variant={link === null ? 'filled' : 'default'}
          loading={create.isPending}
          onClick={() => create.mutate({ right, days, uses })}
        >
          {t('share.link_create')}
        </Button>
      </div>
      <FaultAlert fault={create.error === null ? null : asApiError(create.error)} />
      {link !== null && <FreshLink link={link} />}
      {invites.data !== undefined && invites.data.length > 0 && (
        <ul className={classes.links} aria-label={t('share.link_active')}>
          {invites.data.map((invite) => (
            <LinkRow key={invite.id} roomId={room.id} invite={invite} />
          ))}
        </ul>
      )}
    </section>
  );
}

function LinkRow({ roomId, invite }: { roomId: string; invite: Invite }) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { remove } = useInviteActs(roomId);
  const revoke = () =>
    remove.mutate(invite.id, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => toast({ message: t('share.link_revoked') }),
    });
  return (
    <li className={classes.link}>
      <span className={classes.name}>
        <Text span>
          {t('share.link_row', {
            right: rightName(t, invite.right),
            uses: invite.uses,
            count: invite.uses_max,
          })}
        </Text>
        <Text span fz={12} c="dimmed" title={full(invite.expires_at)}>
          {t('share.link_expires', { time: when(invite.expires_at) })}
        </Text>
      </span>
      <Button variant="subtle" color="red" size="compact-sm" loading={remove.isPending} onClick={revoke}>
        {t('share.link_revoke')}
      </Button>
    </li>
  );
}
