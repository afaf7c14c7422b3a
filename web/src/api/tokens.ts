/** Access tokens of programs, and room tokens to try one out, with their caches. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { GrantRight, Scope } from './types';

const TOKENS_KEY = ['tokens'] as const;
const DAY_SECONDS = 86_400;

/** How long a token may be chosen to last. */
export const TOKEN_DAYS = [30, 90, 365] as const;
export const TOKEN_DAYS_DEFAULT = 90;

export function useTokens() {
  const api = useApi();
  return useQuery({ queryKey: TOKENS_KEY, queryFn: () => api.tokens() });
}

export interface TokenWish {
  name: string;
  scopes: Scope[];
  /** Null: until it is revoked. */
  days: number | null;
}

export function useTokenActs() {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: TOKENS_KEY });
  const create = useMutation({
    mutationFn: ({ name, scopes, days }: TokenWish) =>
      api.createToken(name, scopes, days === null ? null : days * DAY_SECONDS),
    onSettled,
  });
  const revoke = useMutation({ mutationFn: (id: string) => api.revokeToken(id), onSettled });
  return { create, revoke };
}

export function useMint(room: string) {
  const api = useApi();
  return useMutation({
    mutationFn: ({ right, seconds }: { right: GrantRight; seconds: number }) =>
      api.mintRoomToken(room, right, seconds),
  });
}
