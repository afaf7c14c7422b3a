/** The list at the side: search, New, what I have starred, and the spaces with all in them. */
import { ActionIcon, Button, Menu, ScrollArea, Skeleton, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { IconPlus, IconSearch, IconStar, IconTrash } from '@tabler/icons-react';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { asApiError } from '../../api/client';
import { useRooms } from '../../api/rooms';
import { useContents, useSpaces } from '../../api/spaces';
import { useWords } from '../../i18n/hooks';
import { shownTitle, spaceName } from '../../i18n/names';
import { useDialogs } from '../dialogs';
import { FaultAlert } from '../FaultAlert';
import { FolderItems, SpaceItems } from '../FolderMenu';
import { movableFolder, movableRoom } from '../movable';
import { pathTo } from '../links';
import { MoreButton } from '../MoreButton';
import { NewMenu } from '../NewMenu';
import { RoomItems } from '../RoomMenu';
import { shortcutText } from '../shortcut';
import { dropFolder, dropSpace } from './drag';
import { NodeIcon } from './NodeIcon';
import { useOpenRows } from './open';
import { keyOf, spaceRows, starredRows, type Names, type Row } from './rows';
import { Tree } from './Tree';
import classes from './Tree.module.css';

export function TreePanel({ workspace }: { workspace: string }) {
  const { t } = useWords();
  const show = useDialogs();
  return (
    <>
      <Text className={classes.workspace} fw={600} truncate title={workspace}>
        {workspace}
      </Text>
      <UnstyledButton className={classes.find} onClick={() => show({ show: 'find' })}>
        <IconSearch size={18} stroke={1.5} aria-hidden="true" />
        <span className={classes.findWord}>{t('find.open')}</span>
        <kbd className={classes.keys}>{shortcutText('Ctrl K')}</kbd>
      </UnstyledButton>
      <NewMenu>
        <Button
          variant="default"
          fullWidth
          justify="flex-start"
          leftSection={<IconPlus size={18} stroke={1.5} />}
          data-testid="new"
        >
          {t('nav.new')}
        </Button>
      </NewMenu>
      <ScrollArea className={classes.list} type="hover" viewportProps={{ tabIndex: -1 }}>
        <Trees />
      </ScrollArea>
      <Link to="/trash" className={classes.trash} activeProps={{ 'data-active': true }}>
        <IconTrash size={18} stroke={1.5} aria-hidden="true" />
        <span className={classes.title}>{t('nav.trash')}</span>
      </Link>
    </>
  );
}

interface MenuAt {
  row: Row;
  element: HTMLElement;
  /** Where the pointer was, or where the row's button is. */
  at: { x: number; y: number };
}

function Trees() {
  const { t } = useWords();
  const navigate = useNavigate();
  const show = useDialogs();
  const { isOpen, setOpen } = useOpenRows();
  const [menu, setMenu] = useState<MenuAt | null>(null);
  const spaces = useSpaces();
  const starred = useRooms('starred').data?.rooms ?? [];
  const list = spaces.data?.spaces ?? [];
  const openSpaces = list.filter(({ id, kind }) => isOpen(keyOf.space(id), kind === 'personal'));
  const contents = useContents(openSpaces.map(({ id }) => id));
  const current = useCurrentKey();

  if (spaces.isError && spaces.data === undefined) return <FaultAlert fault={asApiError(spaces.error)} />;
  if (spaces.data === undefined) return <TreeSkeleton />;
  const names: Names = {
    space: (space) => spaceName(t, space),
    room: (room) => shownTitle(room.title, t('doc.untitled')),
  };
  const personal = list.find(({ kind }) => kind === 'personal');
  const openByDefault = new Set(personal === undefined ? [] : [keyOf.space(personal.id)]);
  const rows = spaceRows({
    spaces: list,
    contents,
    isOpen: (key) => isOpen(key, openByDefault.has(key)),
    names,
    rooms: true,
  });
  const starRows = starredRows(starred, t('nav.starred'), isOpen(keyOf.starred, true), names);

  const openMenu = (row: Row, element: HTMLElement, at: MenuAt['at'] | null) => {
    if (row.node.kind === 'starred') return;
    const box = (element.querySelector('[data-testid="tree-menu"]') ?? element).getBoundingClientRect();
    setMenu({ row, element, at: at ?? { x: box.left, y: box.bottom } });
  };
  const shared = {
    current,
    onToggle: setOpen,
    onActivate: (row: Row) => {
      if (row.node.kind === 'starred') setOpen([row.key], row.open === false);
      else void navigate({ to: hrefOf(row) });
    },
    face: (row: Row) => <Face row={row} />,
    describe: (row: Row) => describe(t, row),
    onMenu: openMenu,
    onRename: ({ node }: Row, element: HTMLElement) => {
      if (node.kind === 'room') show({ show: 'rename_room', room: node.room }, element);
      else if (node.kind === 'folder') show({ show: 'rename_folder', folder: node.folder }, element);
    },
    actions: (row: Row) =>
      row.node.kind !== 'starred' && (
        <MoreButton
          className={classes.more}
          name={row.name}
          size={24}
          tabIndex={-1}
          data-testid="tree-menu"
          onClick={(event) => {
            const element = event.currentTarget.closest<HTMLElement>('[role="treeitem"]');
            if (element !== null) openMenu(row, element, null);
          }}
        />
      ),
    drag: ({ node }: Row) => {
      if (node.kind === 'room') return movableRoom(node.room, t('doc.untitled'));
      return node.kind === 'folder' ? movableFolder(node.folder) : null;
    },
    drop: ({ node, name }: Row) => {
      if (node.kind === 'space') return dropSpace(node.space, name);
      if (node.kind !== 'folder') return null;
      return dropFolder(node.folder, contents.get(node.space.id)?.folders ?? []);
    },
  };
  return (
    <>
      {starred.length > 0 && <Tree label={t('nav.starred')} rows={starRows} {...shared} />}
      <div className={classes.head}>
        <Text span fz={12} c="dimmed" fw={600}>
          {t('nav.spaces')}
        </Text>
        <Tooltip label={t('space.new')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={24}
            aria-label={t('space.new')}
            onClick={(event) => show({ show: 'new_space' }, event.currentTarget)}
          >
            <IconPlus size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </div>
      <Tree label={t('nav.spaces')} rows={rows} {...shared} />
      <RowMenu menu={menu} onClose={() => setMenu(null)} onMade={(key) => setOpen([key], true)} />
    </>
  );
}

/** The row of the page that is shown. */
function useCurrentKey(): string | null {
  const pathname = useLocation({ select: (location) => location.pathname });
  const [page, id, folder] = pathname.split('/').slice(1);
  if (id === undefined) return null;
  if (page === 'o') return keyOf.room(id);
  if (page !== 'space') return null;
  return folder === undefined || folder === '' ? keyOf.space(id) : keyOf.folder(folder);
}

function hrefOf({ node }: Row): string {
  switch (node.kind) {
    case 'space':
      return pathTo.space(node.space.id);
    case 'folder':
      return pathTo.folder(node.space.id, node.folder.id);
    case 'room':
      return pathTo.room(node.room.id);
    case 'starred':
      return '/home?tab=starred';
  }
}

function describe(t: (key: string) => string, { node }: Row): string {
  switch (node.kind) {
    case 'space':
      return node.space.archived_at === null ? t('space.space') : t('space.archived_word');
    case 'folder':
      return t('folder.folder');
    case 'room':
      return t(`kind.${node.room.kind}`);
    case 'starred':
      return '';
  }
}

function Face({ row }: { row: Row }) {
  const inner: ReactNode = (
    <>
      {row.node.kind === 'starred' ? (
        <IconStar size={18} stroke={1.5} aria-hidden="true" />
      ) : (
        <NodeIcon node={row.node} open={row.open === true} />
      )}
      <span className={classes.title}>{row.name}</span>
    </>
  );
  return (
    <Link to={hrefOf(row)} className={classes.face} tabIndex={-1} draggable={false}>
      {inner}
    </Link>
  );
}

interface RowMenuProps {
  menu: MenuAt | null;
  onClose: () => void;
  onMade: (key: string) => void;
}

/** One menu for all rows, at the pointer or below the row's button. */
function RowMenu({ menu, onClose, onMade }: RowMenuProps) {
  if (menu === null) return null;
  const { row, element, at } = menu;
  const items = { returnTo: () => element, onMade: () => onMade(row.key) };
  const close = () => {
    onClose();
    element.focus();
  };
  return (
    <Menu key={row.key} opened onClose={close} position="bottom-start" width={220} returnFocus={false}>
      <Menu.Target>
        <span aria-hidden="true" style={{ position: 'fixed', insetInlineStart: at.x, insetBlockStart: at.y }} />
      </Menu.Target>
      <Menu.Dropdown aria-label={row.name}>
        {row.node.kind === 'room' && <RoomItems room={row.node.room} {...items} />}
        {row.node.kind === 'folder' && <FolderItems folder={row.node.folder} {...items} />}
        {row.node.kind === 'space' && <SpaceItems space={row.node.space} {...items} />}
      </Menu.Dropdown>
    </Menu>
  );
}

function TreeSkeleton() {
  return [60, 80, 45].map((width) => (
    <Skeleton key={width} className="late" height={12} width={`${width}%`} my={12} ml={8} />
  ));
}
