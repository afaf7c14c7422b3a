/** The audit log and the settings about sharing, with their caches. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { ActFilter, Sharing } from './types';

export function useActs(filter: ActFilter) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam }) => api.acts(filter, pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: ({ acts, more }) => (more ? (acts.at(-1)?.id ?? null) : null),
    retry: false,
  });
}

const SHARING_KEY = ['sharing'] as const;

export function useSharing() {
  const api = useApi();
  return useQuery({ queryKey: SHARING_KEY, queryFn: api.sharing });
}

export function useChangeSharing() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Sharing>) => api.changeSharing(change),
    onSuccess: (sharing) => queries.setQueryData(SHARING_KEY, sharing),
  });
}
