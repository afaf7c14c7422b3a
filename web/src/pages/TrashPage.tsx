import { Button, Stack, Text, Title } from '@mantine/core';
import { asApiError } from '../api/client';
import { useRoomActs, useRooms } from '../api/rooms';
import type { RoomInfo } from '../api/types';
import { useWhen, useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { KindIcon } from '../ui/KindIcon';
import { LoadFailed } from '../ui/PageState';
import { toast } from '../ui/toast';
import { usePageTitle } from '../ui/usePageTitle';
import { ListSkeleton } from './HomePage';
import classes from './List.module.css';

export function TrashPage() {
  const { t } = useWords();
  const rooms = useRooms(true);
  usePageTitle(t('trash.title'));
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('trash.title')}
        </Title>
      </header>
      {rooms.isPending && <ListSkeleton />}
      {rooms.isError && rooms.data === undefined && (
        <LoadFailed fault={asApiError(rooms.error)} onAgain={() => void rooms.refetch()} />
      )}
      {rooms.data?.length === 0 && (
        <Stack className={classes.empty} align="center" gap={12}>
          <Text fz={18} fw={600} ta="center">
            {t('trash.empty')}
          </Text>
          <Text c="dimmed" ta="center">
            {t('trash.hint')}
          </Text>
        </Stack>
      )}
      {rooms.data !== undefined && rooms.data.length > 0 && (
        <ul className={classes.list} aria-label={t('trash.title')}>
          {rooms.data.map((room) => (
            <TrashRow key={room.id} room={room} />
          ))}
        </ul>
      )}
    </main>
  );
}

function TrashRow({ room }: { room: RoomInfo }) {
  const { t, full } = useWords();
  const when = useWhen();
  const acts = useRoomActs();
  const at = room.trashed_at ?? room.changed_at;
  const restore = async () => {
    if (await acts.restore(room.id)) toast({ message: t('trash.restored') });
  };
  return (
    <li className={classes.trashRow}>
      <KindIcon kind={room.kind} size={20} named />
      <span className={classes.trashText}>
        <span className={classes.title}>{shownTitle(room.title, t('doc.untitled'))}</span>
        <Text span c="dimmed" fz={12} title={full(at)}>
          {t('trash.trashed_at', { time: when(at) })}
        </Text>
      </span>
      {room.right === 'manage' && (
        <Button variant="default" onClick={() => void restore()}>
          {t('action.restore')}
        </Button>
      )}
    </li>
  );
}
