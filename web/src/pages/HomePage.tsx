import { Button, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { asApiError } from '../api/client';
import { useRooms } from '../api/rooms';
import type { RoomInfo } from '../api/types';
import { useMe } from '../app/session';
import { useWhen, useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { KindIcon } from '../ui/KindIcon';
import { NewMenu } from '../ui/NewMenu';
import { LoadFailed } from '../ui/PageState';
import { RoomMenu } from '../ui/RoomMenu';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';

export function HomePage() {
  const { t } = useWords();
  const rooms = useRooms(false);
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
      <HomeList rooms={rooms.data} />
      {rooms.isError && rooms.data === undefined && (
        <LoadFailed fault={asApiError(rooms.error)} onAgain={() => void rooms.refetch()} />
      )}
      {rooms.isPending && <ListSkeleton />}
    </main>
  );
}

function HomeList({ rooms }: { rooms: RoomInfo[] | undefined }) {
  const { t } = useWords();
  if (rooms === undefined) return null;
  if (rooms.length === 0) return <HomeEmpty />;
  return (
    <>
      <div className={classes.columns} aria-hidden="true">
        <span>{t('home.column_name')}</span>
        <span className={classes.owner}>{t('home.column_owner')}</span>
        <span className={classes.changed}>{t('home.column_changed')}</span>
      </div>
      <ul className={classes.list} aria-label={t('home.list')}>
        {rooms.map((room) => (
          <HomeRow key={room.id} room={room} />
        ))}
      </ul>
    </>
  );
}

function HomeRow({ room }: { room: RoomInfo }) {
  const { t, full } = useWords();
  const when = useWhen();
  const me = useMe();
  const mine = me.data?.user.id;
  const time = when(room.changed_at);
  const by = room.changed_by ?? { id: room.owner.id, name: room.owner.name };
  return (
    <li className={classes.row}>
      <Link to="/o/$id" params={{ id: room.id }} className={classes.link}>
        <KindIcon kind={room.kind} size={20} named />
        <span className={classes.title}>{shownTitle(room.title, t('doc.untitled'))}</span>
      </Link>
      <Text span className={classes.owner} c="dimmed" truncate>
        {room.owner.id === mine ? t('home.owner_you') : room.owner.name}
      </Text>
      <Text span className={classes.changed} c="dimmed" truncate title={full(room.changed_at)}>
        {by.id === mine
          ? t('home.changed_you', { time })
          : t('home.changed', { name: by.name, time })}
      </Text>
      <RoomMenu room={room} />
    </li>
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

export function ListSkeleton() {
  return (
    <div className="late" aria-hidden="true">
      {[46, 62, 38, 54, 30].map((width) => (
        <div key={width} className={classes.row}>
          <Skeleton height={14} width={`${width}%`} />
        </div>
      ))}
    </div>
  );
}
