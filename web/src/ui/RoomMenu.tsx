/** The `:` menu of an object; the same in its row, in the tree and in its frame, in the same order. */
import { Menu } from '@mantine/core';
import {
  IconBell,
  IconBellOff,
  IconCode,
  IconFolderSymlink,
  IconLink,
  IconPencil,
  IconPrinter,
  IconShare,
  IconStar,
  IconStarOff,
  IconTrash,
} from '@tabler/icons-react';
import { useRef } from 'react';
import { useRoomActs } from '../api/rooms';
import type { RoomInfo } from '../api/types';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { useDialogs } from './dialogs';
import { pathTo, useCopyLink } from './links';
import { MoreButton } from './MoreButton';
import { movableRoom } from './movable';

export type MenuRoom = Pick<
  RoomInfo,
  'id' | 'kind' | 'title' | 'right' | 'space' | 'folder' | 'starred' | 'muted'
>;

interface ItemsProps {
  room: MenuRoom;
  /** Takes the focus when a dialog that was opened from here is closed. */
  returnTo: () => HTMLElement | null;
  /** In the frame the title itself is edited. */
  onRename?: () => void;
  onTrashed?: () => void;
  onPrint?: () => void;
}

export function RoomMenu(props: Omit<ItemsProps, 'returnTo'>) {
  const { t } = useWords();
  const button = useRef<HTMLButtonElement>(null);
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <MoreButton
          ref={button}
          name={shownTitle(props.room.title, t('doc.untitled'))}
          data-testid="room-menu"
        />
      </Menu.Target>
      <Menu.Dropdown>
        <RoomItems {...props} returnTo={() => button.current} />
      </Menu.Dropdown>
    </Menu>
  );
}

export function RoomItems({ room, returnTo, onRename, onTrashed, onPrint }: ItemsProps) {
  const { t } = useWords();
  const acts = useRoomActs();
  const show = useDialogs();
  const copyLink = useCopyLink();
  const mayEdit = room.right === 'edit' || room.right === 'manage';
  const movable = movableRoom(room, t('doc.untitled'));
  const trash = async () => {
    if (await acts.trash(room.id)) onTrashed?.();
  };
  return (
    <>
      <Menu.Item
        leftSection={<IconShare size={18} stroke={1.5} />}
        onClick={() => show({ show: 'share_room', room }, returnTo())}
      >
        {t('action.share')}
      </Menu.Item>
      {movable !== null && (
        <Menu.Item
          leftSection={<IconFolderSymlink size={18} stroke={1.5} />}
          onClick={() => show({ show: 'move', what: movable }, returnTo())}
        >
          {t('action.move')}
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={room.starred ? <IconStarOff size={18} stroke={1.5} /> : <IconStar size={18} stroke={1.5} />}
        onClick={() => acts.star(room.id, !room.starred)}
      >
        {room.starred ? t('action.unstar') : t('action.star')}
      </Menu.Item>
      <Menu.Item
        leftSection={room.muted ? <IconBell size={18} stroke={1.5} /> : <IconBellOff size={18} stroke={1.5} />}
        onClick={() => acts.mute(room.id, !room.muted)}
      >
        {room.muted ? t('inbox.unmute') : t('inbox.mute')}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconLink size={18} stroke={1.5} />}
        onClick={() => void copyLink(pathTo.room(room.id))}
      >
        {t('action.copy_link')}
      </Menu.Item>
      {room.kind === 'doc' && (
        <Menu.Item
          leftSection={<IconCode size={18} stroke={1.5} />}
          onClick={() => show({ show: 'code', room }, returnTo())}
        >
          {t('code.use')}
        </Menu.Item>
      )}
      {mayEdit && (
        <Menu.Item
          leftSection={<IconPencil size={18} stroke={1.5} />}
          onClick={() =>
            onRename === undefined ? show({ show: 'rename_room', room }, returnTo()) : onRename()
          }
        >
          {t('action.rename')}
        </Menu.Item>
      )}
      {onPrint !== undefined && (
        <Menu.Item leftSection={<IconPrinter size={18} stroke={1.5} />} onClick={onPrint}>
          {t('doc.print')}
        </Menu.Item>
      )}
      {room.right === 'manage' && (
        <>
          <Menu.Divider />
          <Menu.Item leftSection={<IconTrash size={18} stroke={1.5} />} onClick={() => void trash()}>
            {t('action.trash')}
          </Menu.Item>
        </>
      )}
    </>
  );
}
