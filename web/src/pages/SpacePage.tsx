/** A space, or one of its folders: what is in it, who belongs to it, and New in here. */
import { Button, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { IconChevronRight, IconFolderPlus, IconPlus } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Fragment, useRef } from 'react';
import { asApiError } from '../api/client';
import { mayMakeIn, pathOf, useMembers, useSpace } from '../api/spaces';
import type { Folder, Space, SpaceContent } from '../api/types';
import { useSeen } from '../app/inbox';
import { useWords } from '../i18n/hooks';
import { compareNames, spaceName } from '../i18n/names';
import { Avatar } from '../ui/Avatar';
import { useDialogs } from '../ui/dialogs';
import { FolderMenu, SpaceMenu } from '../ui/FolderMenu';
import { SpaceIcon } from '../ui/KindIcon';
import { NewMenu } from '../ui/NewMenu';
import { HomeLink, LoadFailed, PageState } from '../ui/PageState';
import { dropFolder, dropSpace, useDrag, type DropTarget } from '../ui/tree/drag';
import { usePageTitle } from '../ui/usePageTitle';
import classes from './List.module.css';
import { ListSkeleton, RoomList } from './RoomList';

const FACES_SHOWN = 5;

export function SpacePage() {
  const { t } = useWords();
  const { id, folder = null } = useParams({ strict: false }) as { id: string; folder?: string };
  const content = useSpace(id);
  const here = content.data?.folders.find((one) => one.id === folder);
  const missing =
    content.data === undefined
      ? content.isError && asApiError(content.error).code === 'not_found'
      : folder !== null && here === undefined;
  usePageTitle(here?.name ?? (content.data === undefined ? '' : spaceName(t, content.data.space)));
  useSeen('space', content.data?.space.id ?? null);
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      {missing && (
        <PageState title={t('room.not_found')} hint={t('room.not_found_hint')}>
          <HomeLink />
        </PageState>
      )}
      {!missing && content.isError && content.data === undefined && (
        <LoadFailed fault={asApiError(content.error)} onAgain={() => void content.refetch()} />
      )}
      {content.isPending && <ListSkeleton />}
      {!missing && content.data !== undefined && <Inside content={content.data} folder={here ?? null} />}
    </main>
  );
}

function Inside({ content, folder }: { content: SpaceContent; folder: Folder | null }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const { space } = content;
  const known = new Set(content.folders.map(({ id }) => id));
  // What stands in a folder that I may not see is shown at the top.
  const isHere = (at: string | null) => (at !== null && known.has(at) ? at : null) === (folder?.id ?? null);
  const folders = content.folders
    .filter(({ parent }) => isHere(parent))
    .sort((one, other) => compareNames(one.name, other.name));
  const rooms = content.rooms.filter((room) => isHere(room.folder?.id ?? null));
  const mayMake = folder === null ? mayMakeIn(space) : folder.right === 'edit' || folder.right === 'manage';
  const name = folder?.name ?? spaceName(t, space);
  const up = folder === null ? [] : pathOf(content.folders, folder.parent);
  return (
    <>
      {folder !== null && <Crumbs space={space} folders={up} all={content.folders} />}
      <header className={classes.header}>
        <Title order={1} fz={24} className={classes.heading}>
          {folder === null && <SpaceIcon space={space} size={24} />}
          <span className={classes.title}>{name}</span>
        </Title>
        {space.kind === 'team' && space.role !== null && <Members space={space} />}
        {mayMake && (
          <NewMenu>
            <Button className={classes.new} leftSection={<IconPlus size={18} stroke={1.5} />} data-testid="new-here">
              {t('nav.new')}
            </Button>
          </NewMenu>
        )}
        {folder === null ? (
          <SpaceMenu space={space} />
        ) : (
          <FolderMenu
            folder={folder}
            onTrashed={() => void navigate({ to: '/space/$id', params: { id: space.id } })}
          />
        )}
      </header>
      {space.archived_at !== null && (
        <Text className={classes.note} role="note">
          {t('space.archived')}
        </Text>
      )}
      {folders.length + rooms.length > 0 ? (
        <RoomList label={name} rooms={rooms} folders={folders} allFolders={content.folders} />
      ) : (
        <Empty space={space} folder={folder} mayMake={mayMake} />
      )}
    </>
  );
}

function Crumbs({ space, folders, all }: { space: Space; folders: Folder[]; all: readonly Folder[] }) {
  const { t } = useWords();
  const name = spaceName(t, space);
  return (
    <nav className={classes.crumbs} aria-label={t('space.path')}>
      <Crumb to={{ space: space.id, folder: null }} name={name} target={dropSpace(space, name)} />
      {folders.map((folder) => (
        <Fragment key={folder.id}>
          <IconChevronRight size={14} stroke={1.5} aria-hidden="true" />
          <Crumb to={{ space: space.id, folder: folder.id }} name={folder.name} target={dropFolder(folder, all)} />
        </Fragment>
      ))}
    </nav>
  );
}

function Crumb({ to, name, target }: { to: { space: string; folder: string | null }; name: string; target: DropTarget | null }) {
  const box = useRef<HTMLSpanElement>(null);
  const { over } = useDrag(box, null, target);
  return (
    <span ref={box} className={classes.crumb} data-over={over || undefined}>
      {to.folder === null ? (
        <Link to="/space/$id" params={{ id: to.space }}>
          {name}
        </Link>
      ) : (
        <Link to="/space/$id/$folder" params={{ id: to.space, folder: to.folder }}>
          {name}
        </Link>
      )}
    </span>
  );
}

function Members({ space }: { space: Space }) {
  const { t } = useWords();
  const show = useDialogs();
  const members = (useMembers(space.id).data ?? []).filter(({ state }) => state === 'member');
  const more = space.members - Math.min(members.length, FACES_SHOWN);
  return (
    <UnstyledButton
      className={classes.members}
      onClick={() => show({ show: 'space', id: space.id, tab: 'members' })}
      data-testid="members-button"
    >
      <span className="visually-hidden">{t('space.members_of', { count: space.members })}</span>
      {members.slice(0, FACES_SHOWN).map(({ id, name }) => (
        <Avatar key={id} name={name} person={id} color={null} size={28} />
      ))}
      {more > 0 && <span aria-hidden="true">+{more}</span>}
    </UnstyledButton>
  );
}

function Empty({ space, folder, mayMake }: { space: Space; folder: Folder | null; mayMake: boolean }) {
  const { t } = useWords();
  const show = useDialogs();
  return (
    <Stack className={classes.empty} align="center" gap={12}>
      <Text fz={18} fw={600} ta="center">
        {folder === null ? t('space.empty') : t('folder.empty')}
      </Text>
      {mayMake && (
        <>
          <Text c="dimmed" ta="center">
            {t(`space.empty_${space.kind}`)}
          </Text>
          <NewMenu>
            <Button leftSection={<IconPlus size={18} stroke={1.5} />}>{t('nav.new')}</Button>
          </NewMenu>
          <Button
            variant="subtle"
            leftSection={<IconFolderPlus size={18} stroke={1.5} />}
            onClick={(event) =>
              show(
                { show: 'new_folder', place: { space: space.id, folder: folder?.id ?? null } },
                event.currentTarget,
              )
            }
          >
            {t('folder.new')}
          </Button>
        </>
      )}
    </Stack>
  );
}
