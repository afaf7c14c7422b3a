/** Rooms and folders as a list with who has them and who changed them last. */
import { Skeleton, Text } from '@mantine/core';
import { IconFolder } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import type { Folder, RoomInfo } from '../api/types';
import { useMe } from '../app/session';
import { useWhen, useWords } from '../i18n/hooks';
import { personName, shownTitle, spaceName } from '../i18n/names';
import { FolderMenu } from '../ui/FolderMenu';
import { KindIcon } from '../ui/KindIcon';
import { movableFolder, movableRoom } from '../ui/movable';
import { RoomMenu } from '../ui/RoomMenu';
import { dropFolder, useDrag } from '../ui/tree/drag';
import classes from './List.module.css';

interface Props {
  label: string;
  rooms: readonly RoomInfo[];
  /** Those to list, before the rooms. */
  folders?: readonly Folder[];
  /** All of the space, to know what lies in what. */
  allFolders?: readonly Folder[];
  /** Whether to say where a room stands; otherwise whose it is. */
  places?: boolean;
}

export function RoomList({ label, rooms, folders = [], allFolders = [], places = false }: Props) {
  const { t } = useWords();
  return (
    <>
      <div className={classes.columns} aria-hidden="true">
        <span>{t('home.column_name')}</span>
        <span className={classes.owner}>{places ? t('home.column_place') : t('home.column_owner')}</span>
        <span className={classes.changed}>{t('home.column_changed')}</span>
      </div>
      <ul className={classes.list} aria-label={label}>
        {folders.map((folder) => (
          <FolderRow key={folder.id} folder={folder} all={allFolders} />
        ))}
        {rooms.map((room) => (
          <RoomRow key={room.id} room={room} places={places} />
        ))}
      </ul>
    </>
  );
}

function FolderRow({ folder, all }: { folder: Folder; all: readonly Folder[] }) {
  const { t } = useWords();
  const box = useRef<HTMLLIElement>(null);
  const { dragging, over } = useDrag(box, movableFolder(folder), dropFolder(folder, all));
  return (
    <li ref={box} className={classes.row} data-dragging={dragging || undefined} data-over={over || undefined}>
      <Link
        to="/space/$id/$folder"
        params={{ id: folder.space, folder: folder.id }}
        className={classes.link}
        draggable={false}
      >
        <IconFolder size={20} stroke={1.5} style={{ flex: 'none' }} role="img" aria-label={t('folder.folder')} />
        <span className={classes.title}>{folder.name}</span>
      </Link>
      <span className={classes.owner} />
      <span className={classes.changed} />
      <FolderMenu folder={folder} />
    </li>
  );
}

function RoomRow({ room, places }: { room: RoomInfo; places: boolean }) {
  const { t, full } = useWords();
  const when = useWhen();
  const me = useMe();
  const mine = me.data?.user.id;
  const box = useRef<HTMLLIElement>(null);
  const { dragging } = useDrag(box, movableRoom(room, t('doc.untitled')), null);
  const time = when(room.changed_at);
  const by = room.changed_by ?? { id: room.owner.id, name: room.owner.name };
  const owner = room.owner.id === mine ? t('home.owner_you') : personName(t, room.owner.name);
  return (
    <li ref={box} className={classes.row} data-dragging={dragging || undefined}>
      <Link to="/o/$id" params={{ id: room.id }} className={classes.link} draggable={false}>
        <KindIcon kind={room.kind} size={20} named />
        <span className={classes.title}>{shownTitle(room.title, t('doc.untitled'))}</span>
      </Link>
      <Text span className={classes.owner} c="dimmed" truncate>
        {places ? (room.folder?.name ?? (room.space === null ? owner : spaceName(t, room.space))) : owner}
      </Text>
      <Text span className={classes.changed} c="dimmed" truncate title={full(room.changed_at)}>
        {by.id === mine
          ? t('home.changed_you', { time })
          : t('home.changed', { name: personName(t, by.name), time })}
      </Text>
      <RoomMenu room={room} />
    </li>
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
