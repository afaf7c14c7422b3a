/** Where one is, so that what is made goes there. */
import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { listKey } from '../api/lists';
import { mayMakeIn, useSpace, useSpaces } from '../api/spaces';
import type { Place, RoomInfo } from '../api/types';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import { useApi } from './services';

export interface NamedPlace {
  /** Null until the spaces are known: my personal space. */
  place: Place | null;
  name: string;
}

/**
 * The space or folder that is shown, or that holds what is shown, if I may make something in it;
 * otherwise my personal space.
 */
export function usePlace(): NamedPlace {
  const { t } = useWords();
  const here = useHere();
  const spaces = useSpaces().data?.spaces ?? [];
  const content = useSpace(here?.space ?? '', here !== null).data;
  const space = spaces.find(({ id }) => id === here?.space);
  if (here !== null && here.folder !== null) {
    const folder = content?.folders.find(({ id }) => id === here.folder);
    const may = folder?.right === 'edit' || folder?.right === 'manage';
    if (folder !== undefined && may) return { place: here, name: folder.name };
  } else if (here !== null && space !== undefined && mayMakeIn(space)) {
    return { place: here, name: spaceName(t, space) };
  }
  const mine = spaces.find(({ kind }) => kind === 'personal');
  return {
    place: mine === undefined ? null : { space: mine.id, folder: null },
    name: t('space.personal'),
  };
}

function useHere(): Place | null {
  // Of the address alone: while a page is being opened, the parameters are still those of the one before.
  const [, page, id = '', folder] = useLocation({ select: ({ pathname }) => pathname }).split('/');
  const api = useApi();
  const room = useQuery({
    queryKey: listKey.room(id),
    queryFn: () => api.room(id),
    enabled: page === 'o' && id !== '',
  });
  if (page === 'space' && id !== '') return { space: id, folder: folder ?? null };
  if (page === 'o') return placeOf(room.data);
  return null;
}

function placeOf(room: RoomInfo | undefined): Place | null {
  if (room === undefined || room.space === null) return null;
  return { space: room.space.id, folder: room.folder?.id ?? null };
}
