/** Spaces, their folders and members, and what one does with them, with their caches. */
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useApi } from '../app/services';
import { useWords } from '../i18n/hooks';
import { toast, toastError } from '../ui/toast';
import { asApiError, type Api, type SpaceChange } from './client';
import { listKey, LIVE_LIST, refreshLists, wentWell } from './lists';
import type { Folder, GivenRole, Member, Place, Space, SpaceContent, Spaces } from './types';

export function useSpaces() {
  const api = useApi();
  return useQuery({ queryKey: listKey.spaces, queryFn: () => api.spaces(), ...LIVE_LIST });
}

function spaceQuery(api: Api, id: string) {
  return { queryKey: listKey.space(id), queryFn: () => api.space(id), ...LIVE_LIST };
}

export function useSpace(id: string, enabled = true) {
  return useQuery({ ...spaceQuery(useApi(), id), enabled });
}

/** What is in several spaces, as far as it is known. */
export function useContents(ids: readonly string[]): ReadonlyMap<string, SpaceContent> {
  const api = useApi();
  return useQueries({ queries: ids.map((id) => spaceQuery(api, id)), combine: known });
}

function known(answers: { data: SpaceContent | undefined }[]): ReadonlyMap<string, SpaceContent> {
  return new Map(answers.flatMap(({ data }) => (data === undefined ? [] : [[data.space.id, data]])));
}

export function useMembers(space: string, enabled = true) {
  const api = useApi();
  return useQuery({
    queryKey: listKey.members(space),
    queryFn: () => api.members(space),
    enabled,
    refetchOnWindowFocus: 'always',
  });
}

/** The members of my teams, each once. */
export function useColleagues(enabled: boolean): readonly Member[] {
  const api = useApi();
  const spaces = useSpaces().data?.spaces ?? [];
  const teams = spaces.filter(({ kind, role }) => kind === 'team' && role !== null);
  return useQueries({
    queries: teams.map(({ id }) => ({
      queryKey: listKey.members(id),
      queryFn: () => api.members(id),
      enabled,
    })),
    combine: everyone,
  });
}

function everyone(answers: { data: Member[] | undefined }[]): readonly Member[] {
  const members = answers.flatMap(({ data }) => data ?? []).filter(({ state }) => state === 'member');
  return [...new Map(members.map((member) => [member.id, member])).values()];
}

/** Something that stands in a space and can be moved. */
export interface Movable {
  kind: 'room' | 'folder';
  id: string;
  name: string;
  /** Where it stands now; null: nowhere that I may see. */
  at: Place | null;
}

export interface SpaceActs {
  createSpace: (name: string) => Promise<boolean>;
  changeSpace: (id: string, change: SpaceChange) => Promise<boolean>;
  answer: (id: string, agree: boolean) => Promise<boolean>;
  createFolder: (place: Place, name: string) => Promise<boolean>;
  renameFolder: (id: string, name: string) => Promise<boolean>;
  trashFolder: (id: string) => Promise<boolean>;
  restoreFolder: (id: string) => Promise<boolean>;
  /** `toName` is where it goes, as people call it. */
  move: (what: Movable, to: Place, toName: string) => Promise<boolean>;
}

export function useSpaceActs(): SpaceActs {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { t, fault } = useWords();
  const { mutateAsync } = useMutation({
    mutationFn: (call: () => Promise<unknown>) => call(),
    onError: (error) => toastError(fault(asApiError(error))),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['room'] });
      return refreshLists(queries);
    },
  });
  const act = (call: () => Promise<unknown>) => wentWell(mutateAsync(call));
  const put = ({ kind, id }: Movable, to: Place) =>
    act(() => (kind === 'room' ? api.moveRoom(id, to) : api.moveFolder(id, to)));
  const restoreFolder = (id: string) => act(() => api.restoreFolder(id));

  return {
    createSpace: (name) =>
      act(async () => {
        const space = await api.createSpace(name);
        queries.setQueryData<Spaces>(
          listKey.spaces,
          (known) => known && { ...known, spaces: [...known.spaces, space] },
        );
        void navigate({ to: '/space/$id', params: { id: space.id } });
      }),
    changeSpace: (id, change) => act(() => api.changeSpace(id, change)),
    answer: (id, agree) => act(() => api.answerSpace(id, agree)),
    createFolder: (place, name) => act(() => api.createFolder(place, name)),
    renameFolder: (id, name) => act(() => api.renameFolder(id, name)),
    trashFolder: async (id) => {
      const done = await act(() => api.trashFolder(id));
      if (done) toast({ message: t('trash.done'), undo: () => void restoreFolder(id) });
      return done;
    },
    restoreFolder,
    move: async (what, to, toName) => {
      const done = await put(what, to);
      const { at } = what;
      if (done) {
        toast({
          message: t('move.done', { name: what.name, to: toName }),
          ...(at === null ? {} : { undo: () => void put(what, at) }),
        });
      }
      return done;
    },
  };
}

export function useMemberActs(space: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: listKey.members(space) });
    void refreshLists(queries);
  };
  const invite = useMutation({
    mutationFn: ({ username, role }: { username: string; role: GivenRole }) =>
      api.inviteMember(space, username, role),
    onSettled,
  });
  const change = useMutation({
    mutationFn: ({ username, role }: { username: string; role: GivenRole }) =>
      api.changeMember(space, username, role),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (username: string) => api.removeMember(space, username),
    onSettled,
  });
  const handOver = useMutation({
    mutationFn: (username: string) => api.handOverSpace(space, username),
    onSettled,
  });
  return { invite, change, remove, handOver };
}

/** Whether rooms and folders can be made at the top of a space. */
export function mayMakeIn(space: Space): boolean {
  if (space.archived_at !== null) return false;
  return space.kind === 'gallery' || ['owner', 'admin', 'editor'].includes(space.role ?? '');
}

/** Whether rules, members and name of a space are mine to change. */
export function mayGovern({ kind, role }: Space): boolean {
  return kind === 'team' && (role === 'owner' || role === 'admin');
}

/** Whether what happens in it can be sent to where I want. */
export function mayHaveWebhooks(space: Space): boolean {
  return space.kind === 'personal' || mayGovern(space);
}

/** A folder and those it stands in, the outermost first. */
export function pathOf(folders: readonly Folder[], id: string | null): Folder[] {
  const path: Folder[] = [];
  for (let at = id; at !== null; ) {
    const folder = folders.find((one) => one.id === at);
    if (folder === undefined || path.includes(folder)) break;
    path.unshift(folder);
    at = folder.parent;
  }
  return path;
}
