/** Webhooks of a space and what was sent by them, with their caches. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { WebhookChange, WebhookWish } from './client';

/** What is sent at once: how long one waits to see what came of it. */
const LOG_REFRESH_MS = 2_000;

const hooksKey = (space: string) => ['webhooks', space] as const;
const logKey = (space: string, id: string) => ['webhook log', space, id] as const;

export function useWebhooks(space: string) {
  const api = useApi();
  return useQuery({
    queryKey: hooksKey(space),
    queryFn: () => api.webhooks(space),
    refetchOnWindowFocus: 'always',
    retry: false,
  });
}

/** What was sent, the last first, as it goes on. */
export function useWebhookLog(space: string, id: string) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: logKey(space, id),
    queryFn: ({ pageParam }) => api.webhookDeliveries(space, id, pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: ({ deliveries, more }) => (more ? (deliveries.at(-1)?.id ?? null) : null),
    refetchInterval: LOG_REFRESH_MS,
  });
}

export function useWebhookActs(space: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: hooksKey(space) });
  const create = useMutation({
    mutationFn: (wish: WebhookWish) => api.createWebhook(space, wish),
    onSettled,
  });
  const change = useMutation({
    mutationFn: ({ id, change }: { id: string; change: WebhookChange }) =>
      api.changeWebhook(space, id, change),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.removeWebhook(space, id), onSettled });
  const renew = useMutation({ mutationFn: (id: string) => api.renewWebhookSecret(space, id) });
  const test = useMutation({
    mutationFn: (id: string) => api.testWebhook(space, id),
    onSettled: (_answer, _error, id) => queries.invalidateQueries({ queryKey: logKey(space, id) }),
  });
  const again = useMutation({
    mutationFn: ({ id, delivery }: { id: string; delivery: number }) =>
      api.sendAgain(space, id, delivery),
    onSettled: (_answer, _error, { id }) => queries.invalidateQueries({ queryKey: logKey(space, id) }),
  });
  return { create, change, remove, renew, test, again };
}
