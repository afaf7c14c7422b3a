import { Button, Stack, Text, Title } from '@mantine/core';
import { IconFolder } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { asApiError } from '../api/client';
import { useRoomActs, useRooms } from '../api/rooms';
import { useSpaceActs } from '../api/spaces';
import type { Folder, RoomInfo } from '../api/types';
import { useWhen, useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { KindIcon } from '../ui/KindIcon';
import { LoadFailed } from '../ui/PageState';
import { toast } from '../ui/toast';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { ListSkeleton } from './RoomList';

export function TrashPage() {
  const { t } = useWords();
  const list = useRooms('trashed');
  const rooms = list.data?.rooms ?? [];
  const folders = list.data?.folders ?? [];
  usePageTitle(t('trash.title'));
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <header className={classes.header}>
        <Title order={1} fz={24}>
          {t('trash.title')}
        </Title>
      </header>
      {list.isPending && <ListSkeleton />}
      {list.isError && list.data === undefined && (
        <LoadFailed fault={asApiError(list.error)} onAgain={() => void list.refetch()} />
      )}
      {list.data !== undefined && rooms.length + folders.length === 0 && (
        <Stack className={classes.empty} align="center" gap={12}>
          <Text fz={18} fw={600} ta="center">
            {t('trash.empty')}
          </Text>
          <Text c="dimmed" ta="center">
            {t('trash.hint')}
          </Text>
        </Stack>
      )}
      {rooms.length + folders.length > 0 && <Trashed rooms={rooms} folders={folders} />}
    </main>
  );
}

function Trashed({ rooms, folders }: { rooms: RoomInfo[]; folders: Folder[] }) {
  const { t } = useWords();
  const roomActs = useRoomActs();
  const spaceActs = useSpaceActs();
  return (
    <ul className={classes.list} aria-label={t('trash.title')}>
      {folders.map((folder) => (
        <TrashRow
          key={folder.id}
          icon={<IconFolder size={20} stroke={1.5} role="img" aria-label={t('folder.folder')} />}
          name={folder.name}
          at={folder.trashed_at}
          onRestore={folder.right === 'manage' ? () => spaceActs.restoreFolder(folder.id) : null}
        />
      ))}
      {rooms.map((room) => (
        <TrashRow
          key={room.id}
          icon={<KindIcon kind={room.kind} size={20} named />}
          name={shownTitle(room.title, t('doc.untitled'))}
          at={room.trashed_at}
          onRestore={room.right === 'manage' ? () => roomActs.restore(room.id) : null}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  icon: ReactNode;
  name: string;
  at: number | null;
  /** Null: it is not mine to restore. */
  onRestore: (() => Promise<boolean>) | null;
}

function TrashRow({ icon, name, at, onRestore }: RowProps) {
  const { t, full } = useWords();
  const when = useWhen();
  const restore = async () => {
    if (await onRestore?.()) toast({ message: t('trash.restored') });
  };
  return (
    <li className={classes.trashRow}>
      {icon}
      <span className={classes.trashText}>
        <span className={classes.title}>{name}</span>
        {at !== null && (
          <Text span c="dimmed" fz={12} title={full(at)}>
            {t('trash.trashed_at', { time: when(at) })}
          </Text>
        )}
      </span>
      {onRestore !== null && (
        <Button variant="default" onClick={() => void restore()}>
          {t('action.restore')}
        </Button>
      )}
    </li>
  );
}
