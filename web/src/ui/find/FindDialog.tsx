/** Ctrl K: rooms, folders and spaces by title, and the commands that lead to pages. */
import { CloseButton, Modal, TextInput } from '@mantine/core';
import { IconFolder, IconFolderPlus, IconHome, IconKey, IconSearch, IconTrash, IconUsersPlus } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useRoomActs, useRooms } from '../../api/rooms';
import { useContents, useSpaces } from '../../api/spaces';
import { usePlace } from '../../app/place';
import { useWords } from '../../i18n/hooks';
import { personName, shownTitle, spaceName } from '../../i18n/names';
import { useDialogs } from '../dialogs';
import { isImeKey } from '../ime';
import { KindIcon, KINDS, SpaceIcon } from '../KindIcon';
import { pathTo } from '../links';
import { PHONE, useMediaFlag } from '../useMediaFlag';
import classes from './Find.module.css';
import { match, type Match, type Sounds } from './match';
import { usePinyin } from './usePinyin';

const SHOWN_MAX = 30;
const RECENT_MAX = 8;

interface Item {
  key: string;
  name: string;
  /** Where it stands. */
  where: string;
  icon: ReactNode;
  /** Breaks ties: when I last had to do with it, in milliseconds. */
  at: number;
  run: () => void;
}

type Found = Item & { match: Match };

export function FindDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  const phone = useMediaFlag(PHONE);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('find.title')}
      classNames={{ header: 'visually-hidden' }}
      withCloseButton={false}
      fullScreen={phone}
      centered={false}
      yOffset="12dvh"
      size={640}
      padding={0}
      returnFocus={false}
    >
      <Finder phone={phone} onClose={onClose} />
    </Modal>
  );
}

function Finder({ phone, onClose }: { phone: boolean; onClose: () => void }) {
  const { t } = useWords();
  const id = useId();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const sounds = usePinyin(typed);
  const things = useThings();
  const commands = useCommands();
  const fitting = best(things, typed, sounds).slice(0, typed.trim() === '' ? RECENT_MAX : SHOWN_MAX);
  const actions = best(commands, typed, sounds);
  const shown = [...fitting, ...actions];
  const current = Math.min(at, shown.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current, typed]);

  const run = (item: Item | undefined) => {
    if (item === undefined) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isImeKey(event.nativeEvent)) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (shown.length > 0) setAt((current + step + shown.length) % shown.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(shown[current]);
    }
  };
  const option = (item: Found, index: number) => (
    <div
      key={item.key}
      id={`${id}-${index}`}
      role="option"
      aria-selected={index === current}
      className={classes.option}
      onClick={() => run(item)}
      onMouseMove={() => setAt(index)}
    >
      {item.icon}
      <Marked name={item.name} at={item.match.at} />
      <span className={classes.where}>{item.where}</span>
    </div>
  );

  return (
    <div className={classes.finder}>
      <TextInput
        className={classes.field}
        variant="unstyled"
        size="md"
        role="combobox"
        aria-label={t('find.title')}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        {...(shown.length > 0 ? { 'aria-activedescendant': `${id}-${current}` } : {})}
        placeholder={t('find.placeholder')}
        leftSection={<IconSearch size={18} stroke={1.5} />}
        rightSection={phone && <CloseButton aria-label={t('action.close')} onClick={onClose} />}
        value={typed}
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id={`${id}-list`} role="listbox" aria-label={t('find.results')} className={classes.list}>
        {fitting.length > 0 && (
          <div role="group" aria-label={typed.trim() === '' ? t('home.tab_recent') : t('find.results')}>
            {fitting.map(option)}
          </div>
        )}
        {actions.length > 0 && (
          <div role="group" aria-label={t('find.actions')}>
            <div className={classes.label} aria-hidden="true">
              {t('find.actions')}
            </div>
            {actions.map((item, index) => option(item, fitting.length + index))}
          </div>
        )}
      </div>
      <div role="status" className={shown.length === 0 ? classes.none : 'visually-hidden'}>
        {shown.length === 0 ? t('search.empty', { q: typed.trim() }) : ''}
      </div>
    </div>
  );
}

function best(items: readonly Item[], typed: string, sounds: Sounds | null): Found[] {
  return items
    .flatMap((item): Found[] => {
      const fits = match(typed, item.name, sounds);
      return fits === null ? [] : [{ ...item, match: fits }];
    })
    .sort((one, other) => other.match.score - one.match.score || other.at - one.at);
}

function Marked({ name, at }: { name: string; at: Match['at'] }) {
  if (at === null) return <span className={classes.name}>{name}</span>;
  return (
    <span className={classes.name}>
      {name.slice(0, at[0])}
      <mark className={classes.mark}>{name.slice(at[0], at[1])}</mark>
      {name.slice(at[1])}
    </span>
  );
}

function useThings(): Item[] {
  const { t } = useWords();
  const router = useRouter();
  const rooms = useRooms('all').data?.rooms ?? [];
  const spaces = useSpaces().data?.spaces ?? [];
  const contents = useContents(spaces.map(({ id }) => id));
  const go = (path: string) => () => void router.navigate({ to: path });
  return [
    ...rooms.map((room): Item => {
      const space = room.space === null ? personName(t, room.owner.name) : spaceName(t, room.space);
      return {
        key: `room ${room.id}`,
        name: shownTitle(room.title, t('doc.untitled')),
        where: room.folder === null ? space : `${space} / ${room.folder.name}`,
        icon: <KindIcon kind={room.kind} named />,
        at: Math.max(room.opened_at ?? 0, room.changed_at),
        run: go(pathTo.room(room.id)),
      };
    }),
    ...spaces.flatMap((space): Item[] => [
      {
        key: `space ${space.id}`,
        name: spaceName(t, space),
        where: t('space.space'),
        icon: <SpaceIcon space={space} />,
        at: 0,
        run: go(pathTo.space(space.id)),
      },
      ...(contents.get(space.id)?.folders ?? []).map((folder) => ({
        key: `folder ${folder.id}`,
        name: folder.name,
        where: spaceName(t, space),
        icon: <IconFolder size={18} stroke={1.5} style={{ flex: 'none' }} role="img" aria-label={t('folder.folder')} />,
        at: 0,
        run: go(pathTo.folder(space.id, folder.id)),
      })),
    ]),
  ];
}

function useCommands(): Item[] {
  const { t } = useWords();
  const router = useRouter();
  const show = useDialogs();
  const { create } = useRoomActs();
  const { place, name } = usePlace();
  const size = { size: 18, stroke: 1.5, style: { flex: 'none' } };
  const command = (key: string, text: string, icon: ReactNode, run: () => void, where = ''): Item => ({
    key,
    name: text,
    where,
    icon,
    at: 0,
    run,
  });
  return [
    ...KINDS.map((kind) =>
      command(`new ${kind}`, t(`find.new_${kind}`), <KindIcon kind={kind} />, () => create(kind, place), name),
    ),
    ...(place === null
      ? []
      : [
          command(
            'new folder',
            t('folder.new'),
            <IconFolderPlus {...size} aria-hidden="true" />,
            () => show({ show: 'new_folder', place }),
            name,
          ),
        ]),
    command('new space', t('space.new'), <IconUsersPlus {...size} aria-hidden="true" />, () => show({ show: 'new_space' })),
    command('home', t('nav.home'), <IconHome {...size} aria-hidden="true" />, () => void router.navigate({ to: '/home' })),
    command('trash', t('nav.trash'), <IconTrash {...size} aria-hidden="true" />, () => void router.navigate({ to: '/trash' })),
    command('tokens', t('tokens.title'), <IconKey {...size} aria-hidden="true" />, () => void router.navigate({ to: '/tokens' })),
  ];
}
