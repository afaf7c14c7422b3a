/** What administrators do, with its caches. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';

const INVITES_KEY = ['workspace-invites'] as const;
const DAY_SECONDS = 86_400;

export function useWorkspaceInvites() {
  const api = useApi();
  return useQuery({ queryKey: INVITES_KEY, queryFn: () => api.workspaceInvites() });
}

export interface WorkspaceInviteWish {
  days: number;
  uses: number;
  /** For whom it is; empty: for whoever has it. */
  email: string;
}

export function useWorkspaceInviteActs() {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: INVITES_KEY });
  const create = useMutation({
    mutationFn: ({ days, uses, email }: WorkspaceInviteWish) =>
      api.createWorkspaceInvite(days * DAY_SECONDS, uses, email),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.deleteWorkspaceInvite(id),
    onSettled,
  });
  return { create, remove };
}
