/** Access by link: the room's one link, for nobody, for people with an account, or for anyone. */
import { Anchor, Button, Group, NativeSelect, PasswordInput, Skeleton, Stack, Text } from '@mantine/core';
import { IconLink, IconQrcode } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { daysInSeconds, SHARE_DAYS, useRoomLink, useRoomLinkActs } from '../api/share';
import type { GrantRight, LinkWho, RoomLink, RoomLinkState } from '../api/types';
import { rightName } from '../i18n/faults';
import { useWhen, useWords } from '../i18n/hooks';
import { ConfirmDialog } from './ConfirmDialog';
import { FaultAlert } from './FaultAlert';
import { pathTo, useCopyLink } from './links';
import { PASSWORD_CHARS_MIN } from './password';
import { QrCode } from './QrCode';
import { RightSelect } from './RightSelect';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

type Reach = 'nobody' | LinkWho;

export function ShareLink({ room }: { room: { id: string } }) {
  const { t } = useWords();
  const link = useRoomLink(room.id);
  return (
    <section aria-label={t('reach.title')}>
      <Text fw={600} mb={8}>
        {t('reach.title')}
      </Text>
      {link.isError && <FaultAlert fault={asApiError(link.error)} />}
      {link.isPending && <Skeleton className="late" height={36} />}
      {link.data !== undefined && <Settings id={room.id} state={link.data} />}
    </section>
  );
}

function Settings({ id, state: { link, allowed } }: { id: string; state: RoomLinkState }) {
  const { t, fault } = useWords();
  const { set, remove } = useRoomLinkActs(id);
  const [asked, setAsked] = useState<'public' | 'off' | null>(null);
  const reach: Reach = link?.who ?? 'nobody';
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const reachFor = (who: LinkWho) =>
    set.mutate(
      { who, right: link?.right ?? 'read' },
      { onError, onSuccess: () => toast({ message: t(`reach.done.${who}`) }) },
    );
  const choose = (wanted: Reach) => {
    if (wanted === 'public') setAsked('public');
    else if (wanted === 'nobody') setAsked('off');
    else reachFor(wanted);
  };
  const options: Reach[] = ['nobody', 'workspace', 'public'];
  const possible = (one: Reach) =>
    one === 'nobody' || one === reach || (allowed !== 'no' && (one === 'workspace' || allowed === 'public'));

  return (
    <Stack gap={12}>
      <div className={classes.add} style={{ marginBlockEnd: 0 }}>
        <NativeSelect
          className={classes.username}
          aria-label={t('reach.who')}
          value={reach}
          disabled={set.isPending || remove.isPending}
          onChange={(event) => choose(event.currentTarget.value as Reach)}
          data={options.map((one) => ({ value: one, label: t(`reach.${one}`), disabled: !possible(one) }))}
        />
        {link !== null && <Right id={id} link={link} />}
      </div>
      {allowed !== 'public' && (
        <Text fz={12} c="dimmed">
          {t(allowed === 'no' ? 'reach.not_allowed' : 'share.blocked')}
        </Text>
      )}
      <Address id={id} link={link} />
      {link !== null && <Bounds id={id} link={link} />}
      <ConfirmDialog
        opened={asked === 'public'}
        question={t('reach.public_ask')}
        yes={t('reach.public_yes')}
        onYes={() => reachFor('public')}
        onClose={() => setAsked(null)}
      />
      <ConfirmDialog
        opened={asked === 'off'}
        question={t('reach.off_ask')}
        yes={t('reach.off_yes')}
        onYes={() => remove.mutate(undefined, { onError, onSuccess: () => toast({ message: t('reach.off') }) })}
        onClose={() => setAsked(null)}
      />
    </Stack>
  );
}

function Right({ id, link }: { id: string; link: RoomLink }) {
  const { t, fault } = useWords();
  const { set } = useRoomLinkActs(id);
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const change = (right: GrantRight) =>
    set.mutate(
      { right },
      {
        onError,
        onSuccess: () =>
          toast({
            message: t('reach.changed', { right: rightName(t, right) }),
            undo: () => set.mutate({ right: link.right }, { onError }),
          }),
      },
    );
  return (
    <RightSelect
      aria-label={t('reach.right')}
      value={set.variables?.right !== undefined && set.isPending ? set.variables.right : link.right}
      onChange={change}
    />
  );
}

/** What to send to others: with the secret, if there is a link. */
function Address({ id, link }: { id: string; link: RoomLink | null }) {
  const { t } = useWords();
  const copy = useCopyLink();
  const [scan, setScan] = useState(false);
  const path = link === null ? pathTo.room(id) : `${pathTo.room(id)}#k=${link.secret}`;
  return (
    <>
      <Group gap={8}>
        <Button
          variant="default"
          leftSection={<IconLink size={16} stroke={1.5} />}
          onClick={() => void copy(path)}
        >
          {t('action.copy_link')}
        </Button>
        <Button
          variant="default"
          leftSection={<IconQrcode size={16} stroke={1.5} />}
          aria-expanded={scan}
          onClick={() => setScan(!scan)}
        >
          {t('reach.qr')}
        </Button>
        {link === null && (
          <Text fz={12} c="dimmed">
            {t('reach.copy_hint')}
          </Text>
        )}
      </Group>
      {scan && (
        <div className={classes.fresh} style={{ marginBlockStart: 0 }}>
          <QrCode text={`${window.location.origin}${path}`} label={t('reach.qr_label')} size={168} />
        </div>
      )}
    </>
  );
}

/** How long it works, the password, and another secret. */
function Bounds({ id, link }: { id: string; link: RoomLink }) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { set, renew } = useRoomLinkActs(id);
  const [asked, setAsked] = useState(false);
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const until = (days: number | null) => set.mutate({ expires_in_seconds: daysInSeconds(days) }, { onError });
  return (
    <>
      <Group gap={8} align="flex-end">
        <NativeSelect
          label={t('share.link_days')}
          value={link.expires_at === null ? '' : 'now'}
          onChange={(event) => until(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
          data={[
            { value: '', label: t('share.no_end') },
            ...(link.expires_at === null
              ? []
              : [{ value: 'now', label: t('share.link_expires', { time: when(link.expires_at) }), disabled: true }]),
            ...SHARE_DAYS.map((count) => ({ value: String(count), label: t('share.days', { count }) })),
          ]}
          {...(link.expires_at === null ? {} : { title: full(link.expires_at) })}
        />
        <Button variant="default" loading={renew.isPending} onClick={() => setAsked(true)}>
          {t('reach.renew')}
        </Button>
      </Group>
      <Password id={id} link={link} />
      <ConfirmDialog
        opened={asked}
        question={t('reach.renew_ask')}
        yes={t('reach.renew')}
        onYes={() =>
          renew.mutate(undefined, { onError, onSuccess: () => toast({ message: t('reach.renewed') }) })
        }
        onClose={() => setAsked(false)}
      />
    </>
  );
}

function Password({ id, link }: { id: string; link: RoomLink }) {
  const { t, fault } = useWords();
  const { set } = useRoomLinkActs(id);
  const [open, setOpen] = useState(false);
  const [password, setPassword] = useState('');
  const [short, setShort] = useState(false);
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if ([...password].length < PASSWORD_CHARS_MIN) return setShort(true);
    set.mutate(
      { password },
      {
        onError,
        onSuccess: () => {
          setOpen(false);
          setPassword('');
          toast({ message: t('reach.password_set') });
        },
      },
    );
  };
  const takeAway = () =>
    set.mutate({ password: null }, { onError, onSuccess: () => toast({ message: t('reach.password_gone') }) });
  if (!open) {
    return (
      <Text fz={14}>
        {link.has_password && <>{t('reach.has_password')} </>}
        <Anchor component="button" type="button" onClick={() => setOpen(true)}>
          {t(link.has_password ? 'reach.password_change' : 'reach.password_add')}
        </Anchor>
        {link.has_password && (
          <>
            {' · '}
            <Anchor component="button" type="button" onClick={takeAway}>
              {t('reach.password_remove')}
            </Anchor>
          </>
        )}
      </Text>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Group gap={8} align="flex-start">
        <PasswordInput
          style={{ flex: 1 }}
          aria-label={t('reach.password')}
          placeholder={t('reach.password')}
          description={t('reach.password_hint')}
          inputWrapperOrder={['input', 'error', 'description']}
          value={password}
          error={short ? t('field.password_rule') : undefined}
          visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password') }}
          autoComplete="new-password"
          onChange={(event) => {
            setPassword(event.currentTarget.value);
            setShort(false);
          }}
          autoFocus
        />
        <Button type="submit" loading={set.isPending}>
          {t('action.save')}
        </Button>
        <Button variant="default" onClick={() => setOpen(false)}>
          {t('action.cancel')}
        </Button>
      </Group>
    </form>
  );
}
