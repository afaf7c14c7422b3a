/** Who can open a room, what was given for it or a folder, and its invite links, with their caches. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { Granted } from './client';
import { LIVE_LIST } from './lists';
import type { Grantee, GrantRight, GrantTo, RoomLinkChange } from './types';

const peopleKey = (id: string) => ['people', id] as const;
const requestsKey = (id: string) => ['requests', id] as const;
const grantsKey = (folder: string) => ['grants', folder] as const;
const invitesKey = (id: string) => ['invites', id] as const;

/** How long a link or a grant may be chosen to last. */
export const SHARE_DAYS = [1, 7, 30] as const;
export const INVITE_DAYS_DEFAULT = 7;
export const INVITE_USES_DEFAULT = 20;
export const INVITE_USES_MAX = 1000;
const DAY_SECONDS = 86_400;

export function usePeople(room: string) {
  const api = useApi();
  return useQuery({ queryKey: peopleKey(room), queryFn: () => api.people(room), enabled: room !== '' });
}

/** Who asks to be let in; shown live where it is shown at all. */
export function useAccessRequests(room: string, enabled: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: requestsKey(room),
    queryFn: () => api.accessRequests(room),
    enabled,
    ...LIVE_LIST,
  });
}

/** Null declines. */
export function useAnswerRequest() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ room, person, allow }: { room: string; person: string; allow: GrantRight | null }) =>
      api.answerRequest(room, person, allow),
    onSettled: (_done, _error, { room }) => {
      void queries.invalidateQueries({ queryKey: requestsKey(room) });
      void queries.invalidateQueries({ queryKey: peopleKey(room) });
    },
  });
}

export function useFolderGrants(folder: string) {
  const api = useApi();
  return useQuery({ queryKey: grantsKey(folder), queryFn: () => api.folderGrants(folder) });
}

export interface GrantWish {
  to: GrantTo;
  right: GrantRight;
  /** Null: until it is taken back. */
  seconds: number | null;
}

export function useGrantActs(subject: Granted) {
  const api = useApi();
  const queries = useQueryClient();
  // What is given for a folder shows in every room of it.
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: ['people'] });
    void queries.invalidateQueries({ queryKey: ['grants'] });
  };
  const grant = useMutation({
    mutationFn: ({ to, right, seconds }: GrantWish) => api.grant(subject, to, right, seconds),
    onSettled,
  });
  const revoke = useMutation({
    mutationFn: (to: Grantee) => api.revoke(subject, to),
    onSettled,
  });
  return { grant, revoke };
}

export function daysInSeconds(days: number | null): number | null {
  return days === null ? null : days * DAY_SECONDS;
}

export function useInvites(id: string, enabled: boolean) {
  const api = useApi();
  return useQuery({ queryKey: invitesKey(id), queryFn: () => api.invites(id), enabled });
}

/** People whose name or user name begins so; null: those of one's teams, to look through here. */
export function usePeopleFound(asked: string | null) {
  const api = useApi();
  return useQuery({
    queryKey: ['people_found', asked ?? ''],
    queryFn: () => api.findPeople(asked ?? ''),
    enabled: asked !== '',
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
}

const linkKey = (room: string) => ['room_link', room] as const;

export function useRoomLink(room: string) {
  const api = useApi();
  return useQuery({ queryKey: linkKey(room), queryFn: () => api.roomLink(room) });
}

export function useRoomLinkActs(room: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => {
    void queries.invalidateQueries({ queryKey: ['people', room] });
    return queries.invalidateQueries({ queryKey: linkKey(room) });
  };
  const set = useMutation({
    mutationFn: (change: RoomLinkChange) => api.setRoomLink(room, change),
    onSettled,
  });
  const renew = useMutation({ mutationFn: () => api.renewRoomLink(room), onSettled });
  const remove = useMutation({ mutationFn: () => api.removeRoomLink(room), onSettled });
  return { set, renew, remove };
}

export interface InviteWish {
  right: GrantRight;
  days: number;
  uses: number;
}

export function useInviteActs(id: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: invitesKey(id) });
  const create = useMutation({
    mutationFn: ({ right, days, uses }: InviteWish) =>
      api.createInvite(id, right, days * DAY_SECONDS, uses),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (invite: string) => api.deleteInvite(id, invite),
    onSettled,
  });
  return { create, remove };
}
