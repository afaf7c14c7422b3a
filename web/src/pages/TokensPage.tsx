/** Access tokens: what lets programs act for the person who is signed in. */
import { Button, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { asApiError } from '../api/client';
import { useTokenActs, useTokens } from '../api/tokens';
import type { AccessToken } from '../api/types';
import { useWhen, useWords } from '../i18n/hooks';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { LoadFailed } from '../ui/PageState';
import { toast, toastError } from '../ui/toast';
import { TokenDialog } from '../ui/TokenDialog';
import { useNow } from '../ui/useNow';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { ListSkeleton } from './RoomList';

export function TokensPage() {
  const { t } = useWords();
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  usePageTitle(t('tokens.title'));
  const make = (
    <Button leftSection={<IconPlus size={18} stroke={1.5} />} onClick={() => setMaking(true)}>
      {t('tokens.new')}
    </Button>
  );
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('tokens.title')}
        </Title>
        {tokens.data !== undefined && tokens.data.length > 0 && make}
      </header>
      {tokens.isPending && <ListSkeleton />}
      {tokens.isError && tokens.data === undefined && (
        <LoadFailed fault={asApiError(tokens.error)} onAgain={() => void tokens.refetch()} />
      )}
      {tokens.data?.length === 0 && (
        <Stack className={classes.empty} align="center" gap={12}>
          <Text fz={18} fw={600} ta="center">
            {t('tokens.empty')}
          </Text>
          <Text c="dimmed" ta="center" maw={480}>
            {t('tokens.lead')}
          </Text>
          {make}
        </Stack>
      )}
      {tokens.data !== undefined && tokens.data.length > 0 && (
        <>
          <Text c="dimmed" mb={16}>
            {t('tokens.lead')}
          </Text>
          <ul className={classes.list} aria-label={t('tokens.title')}>
            {tokens.data.map((token) => (
              <TokenRow key={token.id} token={token} />
            ))}
          </ul>
        </>
      )}
      <TokenDialog opened={making} onClose={() => setMaking(false)} />
    </main>
  );
}

function TokenRow({ token }: { token: AccessToken }) {
  const { t, fault } = useWords();
  const { revoke } = useTokenActs();
  const [asking, setAsking] = useState(false);
  const onRevoke = () =>
    revoke.mutate(token.id, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => toast({ message: t('tokens.revoked', { name: token.name }) }),
    });
  return (
    <li className={classes.tokenRow}>
      <span className={classes.trashText}>
        <Text span fw={600} className={classes.title} title={token.name}>
          {token.name}
        </Text>
        <Text span fz={12} c="dimmed">
          {token.scopes.map((scope) => t(`tokens.scope.${scope}`)).join(t('tokens.comma'))}
        </Text>
        <TokenTimes token={token} />
      </span>
      <Button
        variant="subtle"
        color="red"
        loading={revoke.isPending}
        aria-label={t('tokens.revoke_name', { name: token.name })}
        onClick={() => setAsking(true)}
      >
        {t('tokens.revoke')}
      </Button>
      <ConfirmDialog
        opened={asking}
        question={t('tokens.revoke_question', { name: token.name })}
        yes={t('tokens.revoke')}
        onYes={onRevoke}
        onClose={() => setAsking(false)}
      />
    </li>
  );
}

function TokenTimes({ token }: { token: AccessToken }) {
  const { t, full } = useWords();
  const when = useWhen();
  const now = useNow(30_000);
  const { used_at: usedAt, expires_at: endsAt } = token;
  const used =
    usedAt === null ? t('tokens.never_used') : t('tokens.used', { time: when(usedAt) });
  const ended = endsAt !== null && endsAt <= now;
  const ends =
    endsAt === null
      ? t('tokens.never_ends')
      : ended
        ? t('tokens.ended', { time: when(endsAt) })
        : t('tokens.ends', { time: when(endsAt) });
  return (
    <Text span fz={12} c="dimmed">
      <span {...(usedAt === null ? {} : { title: full(usedAt) })}>{used}</span>
      {' · '}
      <span
        {...(endsAt === null ? {} : { title: full(endsAt) })}
        {...(ended ? { style: { color: 'var(--weft-error)' } } : {})}
      >
        {ends}
      </span>
    </Text>
  );
}
