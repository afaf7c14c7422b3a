/** The audit log and the settings about sharing, with their caches. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { ActsOf, Sharing } from './types';

export function useActs(of: ActsOf) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: ['audit', of],
    queryFn: ({ pageParam }) => api.acts(of, pageParam),
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
