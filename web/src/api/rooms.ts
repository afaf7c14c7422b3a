/** Lists of rooms and what one does with a room outside of it, with their caches. */
import {
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { toast, toastError } from '../ui/toast';
import { asApiError } from './client';
import { listKey, LIVE_LIST, refreshLists, wentWell } from './lists';
import type { Folder, Kind, Place, RoomInfo, SpaceContent, Which } from './types';

export interface RoomList {
  rooms: RoomInfo[];
  /** Those in the trash; other lists have none. */
  folders?: Folder[];
}

export function useRooms(which: Which): UseQueryResult<RoomList> {
  const api = useApi();
  return useQuery({ queryKey: listKey.rooms(which), queryFn: () => api.rooms(which), ...LIVE_LIST });
}

export function useRoomInfo(id: string): UseQueryResult<RoomInfo> {
  const api = useApi();
  const queries = useQueryClient();
  return useQuery({
    queryKey: listKey.room(id),
    queryFn: () => api.room(id),
    // The title is there at once when one comes from a list.
    placeholderData: () => seenInList(queries, id),
  });
}

function seenInList(queries: QueryClient, id: string): RoomInfo | undefined {
  const lists = [
    ...queries.getQueriesData<RoomList>({ queryKey: ['rooms'] }),
    ...queries.getQueriesData<SpaceContent>({ queryKey: ['space'] }),
  ];
  for (const [, list] of lists) {
    const found = list?.rooms.find((room) => room.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Changes a room wherever it is listed, before the lists are asked for anew. */
function put(queries: QueryClient, id: string, change: Partial<RoomInfo>): void {
  const changed = (room: RoomInfo): RoomInfo => (room.id === id ? { ...room, ...change } : room);
  queries.setQueryData<RoomInfo>(listKey.room(id), (room) => room && changed(room));
  for (const key of ['rooms', 'space']) {
    queries.setQueriesData<RoomList | SpaceContent>(
      { queryKey: [key] },
      (list) => list && { ...list, rooms: list.rooms.map(changed) },
    );
  }
}

export interface RoomActs {
  create: (kind: Kind, place: Place | null) => void;
  creating: boolean;
  rename: (id: string, title: string) => Promise<boolean>;
  star: (id: string, starred: boolean) => void;
  mute: (id: string, muted: boolean) => void;
  trash: (id: string) => Promise<boolean>;
  restore: (id: string) => Promise<boolean>;
}

export function useRoomActs(): RoomActs {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { t, fault } = useWords();
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const onSuccess = (room: RoomInfo) => {
    put(queries, room.id, room);
    void refreshLists(queries);
  };

  const create = useMutation({
    mutationFn: ({ kind, place }: { kind: Kind; place: Place | null }) =>
      api.createRoom(kind, '', place),
    onError,
    onSuccess: (room) => {
      queries.setQueryData(listKey.room(room.id), room);
      void refreshLists(queries);
      void navigate({ to: '/o/$id', params: { id: room.id }, state: { fresh: true } });
    },
  });
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) => api.rename(id, title),
    onError,
    onSuccess,
  });
  const star = useMutation({
    mutationFn: ({ id, starred }: { id: string; starred: boolean }) => api.star(id, starred),
    onMutate: ({ id, starred }) => put(queries, id, { starred }),
    onError,
    onSettled: (_done, _error, { id }) => {
      void queries.invalidateQueries({ queryKey: listKey.room(id) });
      void refreshLists(queries);
    },
  });
  const mute = useMutation({
    mutationFn: ({ id, muted }: { id: string; muted: boolean }) => api.mute(id, muted),
    onMutate: ({ id, muted }) => put(queries, id, { muted }),
    onError,
    onSuccess: (_done, { muted }) => toast({ message: muted ? t('inbox.muted') : t('inbox.unmuted') }),
    onSettled: (_done, _error, { id }) => void queries.invalidateQueries({ queryKey: listKey.room(id) }),
  });
  const restore = useMutation({ mutationFn: (id: string) => api.restore(id), onError, onSuccess });
  const trash = useMutation({
    mutationFn: (id: string) => api.trash(id),
    onError,
    onSuccess: (room) => {
      onSuccess(room);
      toast({ message: t('trash.done'), undo: () => restore.mutate(room.id) });
    },
  });

  return {
    create: (kind, place) => create.mutate({ kind, place }),
    creating: create.isPending,
    rename: (id, title) => wentWell(rename.mutateAsync({ id, title })),
    star: (id, starred) => star.mutate({ id, starred }),
    mute: (id, muted) => mute.mutate({ id, muted }),
    trash: (id) => wentWell(trash.mutateAsync(id)),
    restore: (id) => wentWell(restore.mutateAsync(id)),
  };
}

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The room has just been made: its title is selected. */
    fresh?: boolean;
    /** One has come to write: the caret is ready in the text. */
    caret?: boolean;
  }
}
