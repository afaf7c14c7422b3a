/** What I had open, what I starred, what others share with me, and invitations to spaces. */
import { Button, Stack, Tabs, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { asApiError } from '../api/client';
import { useRooms } from '../api/rooms';
import { useSpaceActs, useSpaces } from '../api/spaces';
import type { SpaceInvitation } from '../api/types';
import { HOME_TABS, type HomeTab } from '../app/homeTabs';
import { useWords } from '../i18n/hooks';
import { NewMenu } from '../ui/NewMenu';
import { LoadFailed } from '../ui/PageState';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { ListSkeleton, RoomList } from './RoomList';

export function HomePage() {
  const { t } = useWords();
  const navigate = useNavigate();
  const { tab = 'recent' } = useSearch({ from: '/shell/home' });
  usePageTitle(t('home.title'));
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('home.title')}
        </Title>
        <NewMenu>
          <Button
            className={classes.new}
            leftSection={<IconPlus size={18} stroke={1.5} />}
            data-testid="home-new"
          >
            {t('nav.new')}
          </Button>
        </NewMenu>
      </header>
      <Invitations />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) =>
          void navigate({ to: '/home', search: value === 'recent' ? {} : { tab: value as HomeTab }, replace: true })
        }
      >
        <Tabs.List>
          {HOME_TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`home.tab_${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {HOME_TABS.map((name) => (
          <Tabs.Panel key={name} value={name} pt={8}>
            <HomeList tab={name} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </main>
  );
}

function HomeList({ tab }: { tab: HomeTab }) {
  const { t } = useWords();
  const list = useRooms(tab);
  if (list.data === undefined) {
    if (!list.isError) return <ListSkeleton />;
    return <LoadFailed fault={asApiError(list.error)} onAgain={() => void list.refetch()} />;
  }
  if (list.data.rooms.length > 0) {
    return <RoomList label={t(`home.tab_${tab}`)} rooms={list.data.rooms} places />;
  }
  return tab === 'recent' ? <HomeEmpty /> : <Empty text={t(`home.empty_${tab}`)} />;
}

function Empty({ text }: { text: string }) {
  return (
    <Text className={classes.empty} c="dimmed" ta="center">
      {text}
    </Text>
  );
}

function HomeEmpty() {
  const { t } = useWords();
  return (
    <Stack className={classes.empty} align="center" gap={12}>
      <Text fz={18} fw={600} ta="center">
        {t('home.empty')}
      </Text>
      <Text c="dimmed" ta="center">
        {t('home.empty_hint')}
      </Text>
      <NewMenu>
        <Button leftSection={<IconPlus size={18} stroke={1.5} />}>{t('nav.new')}</Button>
      </NewMenu>
    </Stack>
  );
}

function Invitations() {
  const { t } = useWords();
  const invitations = useSpaces().data?.invitations ?? [];
  if (invitations.length === 0) return null;
  return (
    <ul className={classes.cards} aria-label={t('home.invitations')}>
      {invitations.map((invitation) => (
        <InvitationCard key={invitation.space.id} invitation={invitation} />
      ))}
    </ul>
  );
}

function InvitationCard({ invitation }: { invitation: SpaceInvitation }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const acts = useSpaceActs();
  const [busy, setBusy] = useState(false);
  const { space, role, invited_by: by } = invitation;
  const answer = async (agree: boolean) => {
    setBusy(true);
    const done = await acts.answer(space.id, agree);
    setBusy(false);
    if (done && agree) void navigate({ to: '/space/$id', params: { id: space.id } });
  };
  return (
    <li className={classes.card}>
      <span className={classes.trashText}>
        <Text span fw={600}>
          {t('home.invited', { name: by.name, space: space.name })}
        </Text>
        <Text span fz={12} c="dimmed">
          {t('home.invited_as', { role: t(`role.${role}`) })}
        </Text>
      </span>
      <Button variant="default" disabled={busy} onClick={() => void answer(false)}>
        {t('action.decline')}
      </Button>
      <Button disabled={busy} onClick={() => void answer(true)}>
        {t('action.agree')}
      </Button>
    </li>
  );
}
