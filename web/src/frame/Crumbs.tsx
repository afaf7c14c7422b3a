/** Where an object stands, before its title, and the star after it. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconStar, IconStarFilled } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useRoomActs } from '../api/rooms';
import type { RoomInfo } from '../api/types';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import classes from './Frame.module.css';

export function Crumbs({ space, folder }: Pick<RoomInfo, 'space' | 'folder'>) {
  const { t } = useWords();
  if (space === null) return null;
  return (
    <nav className={classes.crumbs} aria-label={t('space.path')}>
      <Link to="/space/$id" params={{ id: space.id }} className={classes.crumb}>
        {spaceName(t, space)}
      </Link>
      <span aria-hidden="true">/</span>
      {folder !== null && (
        <>
          <Link to="/space/$id/$folder" params={{ id: space.id, folder: folder.id }} className={classes.crumb}>
            {folder.name}
          </Link>
          <span aria-hidden="true">/</span>
        </>
      )}
    </nav>
  );
}

export function StarButton({ room }: { room: Pick<RoomInfo, 'id' | 'starred'> }) {
  const { t } = useWords();
  const { star } = useRoomActs();
  const Icon = room.starred ? IconStarFilled : IconStar;
  return (
    <Tooltip label={room.starred ? t('action.unstar') : t('action.star')}>
      <ActionIcon
        variant="subtle"
        color={room.starred ? 'yellow' : 'gray'}
        size={32}
        aria-label={t('action.star')}
        aria-pressed={room.starred}
        onClick={() => star(room.id, !room.starred)}
        data-testid="star"
      >
        <Icon size={18} stroke={1.5} />
      </ActionIcon>
    </Tooltip>
  );
}
