/** The `:` menu of an object; the same in its row and in its frame, in the same order. */
import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import {
  IconDotsVertical,
  IconLink,
  IconPencil,
  IconPrinter,
  IconShare,
  IconTrash,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useRoomActs } from '../api/rooms';
import type { Right } from '../api/types';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { copyText } from './clipboard';
import { RenameDialog } from './RenameDialog';
import { ShareDialog } from './ShareDialog';
import { toast, toastError } from './toast';

interface Props {
  room: { id: string; title: string; right: Right };
  /** In the frame the title itself is edited. */
  onRename?: () => void;
  onTrashed?: () => void;
  onPrint?: () => void;
}

export function RoomMenu({ room, onRename, onTrashed, onPrint }: Props) {
  const { t } = useWords();
  const acts = useRoomActs();
  const [dialog, setDialog] = useState<'none' | 'rename' | 'share'>('none');
  const name = t('home.menu_for', { title: shownTitle(room.title, t('doc.untitled')) });
  const mayEdit = room.right === 'edit' || room.right === 'manage';

  const copyLink = async () => {
    const done = await copyText(`${window.location.origin}/o/${room.id}`);
    if (done) toast({ message: t('share.copied') });
    else toastError(t('share.copy_failed'));
  };
  const trash = async () => {
    if (await acts.trash(room.id)) onTrashed?.();
  };

  return (
    <>
      <Menu position="bottom-end" width={200}>
        <Menu.Target>
          <Tooltip label={t('action.more')}>
            <ActionIcon variant="subtle" color="gray" size={32} aria-label={name} data-testid="room-menu">
              <IconDotsVertical size={18} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconShare size={18} stroke={1.5} />} onClick={() => setDialog('share')}>
            {t('action.share')}
          </Menu.Item>
          <Menu.Item leftSection={<IconLink size={18} stroke={1.5} />} onClick={() => void copyLink()}>
            {t('action.copy_link')}
          </Menu.Item>
          {mayEdit && (
            <Menu.Item
              leftSection={<IconPencil size={18} stroke={1.5} />}
              onClick={() => (onRename === undefined ? setDialog('rename') : onRename())}
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
              <Menu.Item
                leftSection={<IconTrash size={18} stroke={1.5} />}
                onClick={() => void trash()}
              >
                {t('action.trash')}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <RenameDialog
        room={room}
        opened={dialog === 'rename'}
        onClose={() => setDialog('none')}
        onRename={(title) => acts.rename(room.id, title)}
      />
      <ShareDialog room={room} opened={dialog === 'share'} onClose={() => setDialog('none')} />
    </>
  );
}
