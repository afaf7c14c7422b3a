/** The `:` menus of a folder and of a space; the same in a row, in the tree and on their page. */
import { Menu } from '@mantine/core';
import {
  IconFolderPlus,
  IconFolderSymlink,
  IconHistory,
  IconLink,
  IconPencil,
  IconSettings,
  IconShare,
  IconTrash,
  IconUsers,
  IconWebhook,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { useRoomActs } from '../api/rooms';
import { mayGovern, mayHaveWebhooks, mayMakeIn, useSpaceActs } from '../api/spaces';
import type { Folder, Place, Space } from '../api/types';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import { useDialogs } from './dialogs';
import { KindIcon, KINDS } from './KindIcon';
import { pathTo, useCopyLink } from './links';
import { MoreButton } from './MoreButton';
import { movableFolder } from './movable';

interface ItemProps {
  /** Takes the focus when a dialog that was opened from here is closed. */
  returnTo: () => HTMLElement | null;
  /** Something was made in here. */
  onMade?: () => void;
}

export function FolderMenu({ folder, onTrashed }: { folder: Folder; onTrashed?: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <MoreButton ref={button} name={folder.name} data-testid="folder-menu" />
      </Menu.Target>
      <Menu.Dropdown>
        <FolderItems
          folder={folder}
          returnTo={() => button.current}
          {...(onTrashed === undefined ? {} : { onTrashed })}
        />
      </Menu.Dropdown>
    </Menu>
  );
}

export function SpaceMenu({ space }: { space: Space }) {
  const { t } = useWords();
  const button = useRef<HTMLButtonElement>(null);
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <MoreButton ref={button} name={spaceName(t, space)} data-testid="space-menu" />
      </Menu.Target>
      <Menu.Dropdown>
        <SpaceItems space={space} returnTo={() => button.current} />
      </Menu.Dropdown>
    </Menu>
  );
}

export function FolderItems(
  props: ItemProps & { folder: Folder; onTrashed?: () => void },
) {
  const { folder, returnTo, onTrashed, onMade } = props;
  const { t } = useWords();
  const acts = useSpaceActs();
  const show = useDialogs();
  const copyLink = useCopyLink();
  const manage = folder.right === 'manage';
  const mayEdit = manage || folder.right === 'edit';
  const movable = movableFolder(folder);
  const { id, space } = folder;
  const trash = async () => {
    if (await acts.trashFolder(id)) onTrashed?.();
  };
  return (
    <>
      {manage && (
        <Menu.Item
          leftSection={<IconShare size={18} stroke={1.5} />}
          onClick={() => show({ show: 'share_folder', folder }, returnTo())}
        >
          {t('action.share')}
        </Menu.Item>
      )}
      {movable !== null && (
        <Menu.Item
          leftSection={<IconFolderSymlink size={18} stroke={1.5} />}
          onClick={() => show({ show: 'move', what: movable }, returnTo())}
        >
          {t('action.move')}
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconLink size={18} stroke={1.5} />}
        onClick={() => void copyLink(pathTo.folder(space, id))}
      >
        {t('action.copy_link')}
      </Menu.Item>
      {mayEdit && (
        <>
          <Menu.Item
            leftSection={<IconPencil size={18} stroke={1.5} />}
            onClick={() => show({ show: 'rename_folder', folder }, returnTo())}
          >
            {t('action.rename')}
          </Menu.Item>
          <NewItems
            place={{ space, folder: id }}
            returnTo={returnTo}
            {...(onMade === undefined ? {} : { onMade })}
          />
        </>
      )}
      {manage && (
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

export function SpaceItems({ space, returnTo, onMade }: ItemProps & { space: Space }) {
  const { t } = useWords();
  const show = useDialogs();
  const copyLink = useCopyLink();
  const navigate = useNavigate();
  const govern = mayGovern(space);
  return (
    <>
      {space.kind === 'team' && space.role !== null && (
        <Menu.Item
          leftSection={<IconUsers size={18} stroke={1.5} />}
          onClick={() => show({ show: 'space', id: space.id, tab: 'members' }, returnTo())}
        >
          {t('space.members')}
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconLink size={18} stroke={1.5} />}
        onClick={() => void copyLink(pathTo.space(space.id))}
      >
        {t('action.copy_link')}
      </Menu.Item>
      {govern && (
        <>
          <Menu.Item
            leftSection={<IconPencil size={18} stroke={1.5} />}
            onClick={() => show({ show: 'rename_space', space }, returnTo())}
          >
            {t('action.rename')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconSettings size={18} stroke={1.5} />}
            onClick={() => show({ show: 'space', id: space.id, tab: 'settings' }, returnTo())}
          >
            {t('space.settings')}
          </Menu.Item>
        </>
      )}
      {govern && (
        <Menu.Item
          leftSection={<IconHistory size={18} stroke={1.5} />}
          onClick={() => void navigate({ to: '/audit/$id', params: { id: space.id } })}
        >
          {t('audit.title')}
        </Menu.Item>
      )}
      {mayHaveWebhooks(space) && (
        <Menu.Item
          leftSection={<IconWebhook size={18} stroke={1.5} />}
          onClick={() => void navigate({ to: '/webhooks/$id', params: { id: space.id } })}
        >
          {t('webhooks.title')}
        </Menu.Item>
      )}
      {mayMakeIn(space) && (
        <NewItems
          place={{ space: space.id, folder: null }}
          returnTo={returnTo}
          {...(onMade === undefined ? {} : { onMade })}
        />
      )}
    </>
  );
}

/** What can be made in a place, as items of a menu. */
export function NewItems({ place, returnTo, onMade, label }: ItemProps & { place: Place | null; label?: string }) {
  const { t } = useWords();
  const { create, creating } = useRoomActs();
  const show = useDialogs();
  return (
    <>
      <Menu.Label>{label ?? t('folder.new_in')}</Menu.Label>
      {KINDS.map((kind) => (
        <Menu.Item
          key={kind}
          leftSection={<KindIcon kind={kind} />}
          disabled={creating}
          onClick={() => {
            onMade?.();
            create(kind, place);
          }}
        >
          {t(`kind.${kind}`)}
        </Menu.Item>
      ))}
      {place !== null && (
        <Menu.Item
          leftSection={<IconFolderPlus size={18} stroke={1.5} />}
          onClick={() => {
            onMade?.();
            show({ show: 'new_folder', place }, returnTo());
          }}
        >
          {t('folder.folder')}
        </Menu.Item>
      )}
    </>
  );
}
