/** Who can open a room, and its invite links, with their caches. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { GrantRight } from './types';

const peopleKey = (id: string) => ['people', id] as const;
const invitesKey = (id: string) => ['invites', id] as const;

export const INVITE_DAYS = [1, 7, 30] as const;
export const INVITE_DAYS_DEFAULT = 7;
export const INVITE_USES_DEFAULT = 20;
export const INVITE_USES_MAX = 1000;
const DAY_SECONDS = 86_400;

export function usePeople(id: string, enabled: boolean) {
  const api = useApi();
  return useQuery({ queryKey: peopleKey(id), queryFn: () => api.people(id), enabled });
}

export function usePeopleActs(id: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: peopleKey(id) });
  const grant = useMutation({
    mutationFn: ({ username, right }: { username: string; right: GrantRight }) =>
      api.grant(id, username, right),
    onSettled,
  });
  const revoke = useMutation({
    mutationFn: (username: string) => api.revoke(id, username),
    onSettled,
  });
  return { grant, revoke };
}

export function useInvites(id: string, enabled: boolean) {
  const api = useApi();
  return useQuery({ queryKey: invitesKey(id), queryFn: () => api.invites(id), enabled });
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
