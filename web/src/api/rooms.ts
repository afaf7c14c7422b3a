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
import type { Kind, RoomInfo } from './types';

const REFRESH_MS = 20_000;

function listKey(trashed: boolean) {
  return ['rooms', trashed] as const;
}

export function useRooms(trashed: boolean): UseQueryResult<RoomInfo[]> {
  const api = useApi();
  return useQuery({
    queryKey: listKey(trashed),
    queryFn: () => api.rooms(trashed),
    refetchInterval: REFRESH_MS,
    refetchOnWindowFocus: 'always',
  });
}

export function roomKey(id: string) {
  return ['room', id] as const;
}

export function useRoomInfo(id: string): UseQueryResult<RoomInfo> {
  const api = useApi();
  const queries = useQueryClient();
  return useQuery({
    queryKey: roomKey(id),
    queryFn: () => api.room(id),
    // The title is there at once when one comes from a list.
    placeholderData: () =>
      queries.getQueryData<RoomInfo[]>(listKey(false))?.find((room) => room.id === id),
  });
}

/** Puts a changed room into every list that holds it. */
function put(queries: QueryClient, room: RoomInfo): void {
  queries.setQueryData(roomKey(room.id), room);
  for (const trashed of [false, true]) {
    queries.setQueryData<RoomInfo[]>(listKey(trashed), (list) => {
      if (list === undefined) return undefined;
      const belongs = (room.trashed_at !== null) === trashed;
      const others = list.filter(({ id }) => id !== room.id);
      return belongs ? [room, ...others] : others;
    });
  }
  void queries.invalidateQueries({ queryKey: ['rooms'] });
}

export interface RoomActs {
  create: (kind: Kind) => void;
  creating: boolean;
  rename: (id: string, title: string) => Promise<boolean>;
  trash: (id: string) => Promise<boolean>;
  restore: (id: string) => Promise<boolean>;
}

export function useRoomActs(): RoomActs {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { t, fault } = useWords();
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const onSuccess = (room: RoomInfo) => put(queries, room);

  const create = useMutation({
    mutationFn: (kind: Kind) => api.createRoom(kind, ''),
    onError,
    onSuccess: (room) => {
      put(queries, room);
      void navigate({ to: '/o/$id', params: { id: room.id }, state: { fresh: true } });
    },
  });
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) => api.rename(id, title),
    onError,
    onSuccess,
  });
  const restore = useMutation({ mutationFn: (id: string) => api.restore(id), onError, onSuccess });
  const trash = useMutation({
    mutationFn: (id: string) => api.trash(id),
    onError,
    onSuccess: (room) => {
      put(queries, room);
      toast({ message: t('trash.done'), undo: () => restore.mutate(room.id) });
    },
  });

  return {
    create: (kind) => create.mutate(kind),
    creating: create.isPending,
    rename: (id, title) => wentWell(rename.mutateAsync({ id, title })),
    trash: (id) => wentWell(trash.mutateAsync(id)),
    restore: (id) => wentWell(restore.mutateAsync(id)),
  };
}

function wentWell(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The room has just been made: its title is selected. */
    fresh?: boolean;
    /** One has come to write: the caret is ready in the text. */
    caret?: boolean;
  }
}
