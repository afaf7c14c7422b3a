/** What administrators see and do about people and the server, with its caches. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import type { Account, AccountQuery, Quotas, QuotaSet, Registration, SpacesQuery } from './types';

const ACCOUNTS_KEY = ['admin', 'people'] as const;
const MAIL_KEY = ['admin', 'mail'] as const;
const REGISTRATION_KEY = ['admin', 'registration'] as const;
const SPACES_KEY = ['admin', 'spaces'] as const;
const QUOTAS_KEY = ['admin', 'quotas'] as const;

/** Pages of people; those of a former search stand until the new ones are there. */
export function useAccounts(wanted: AccountQuery) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...ACCOUNTS_KEY, wanted],
    queryFn: ({ pageParam }) => api.accounts(wanted, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: (before) => before,
  });
}

export function useAccountActs(account: Account) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: ACCOUNTS_KEY });
  const { id } = account;
  const change = useMutation({
    mutationFn: (wanted: { admin?: boolean; active?: boolean }) => api.changeAccount(id, wanted),
    onSettled,
  });
  const signOut = useMutation({ mutationFn: () => api.signOutAccount(id), onSettled });
  const resetLink = useMutation({ mutationFn: () => api.resetLink(id) });
  const remove = useMutation({ mutationFn: (heir: string) => api.deleteAccount(id, heir), onSettled });
  return { change, signOut, resetLink, remove };
}

export function useRegistration() {
  const api = useApi();
  return useQuery({ queryKey: REGISTRATION_KEY, queryFn: () => api.registration() });
}

export function useSetRegistration() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (registration: Registration) => api.setRegistration(registration),
    onSuccess: (setting) => {
      queries.setQueryData(REGISTRATION_KEY, setting);
      void queries.invalidateQueries({ queryKey: ['setup'] });
    },
  });
}

/** Pages of spaces; those of another choice stand until the new ones are there. */
export function useAllSpaces(wanted: SpacesQuery) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...SPACES_KEY, wanted],
    queryFn: ({ pageParam }) => api.allSpaces(wanted, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: (before) => before,
  });
}

export function useQuotas() {
  const api = useApi();
  return useQuery({ queryKey: QUOTAS_KEY, queryFn: () => api.quotas() });
}

/** What is said of all spaces, and of one. */
export function useQuotaActs() {
  const api = useApi();
  const queries = useQueryClient();
  const changed = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: SPACES_KEY }),
      queries.invalidateQueries({ queryKey: QUOTAS_KEY }),
      // Those of them that I manage show it.
      queries.invalidateQueries({ queryKey: ['space'] }),
    ]);
  const setAll = useMutation({ mutationFn: (quotas: Quotas) => api.setQuotas(quotas), onSuccess: changed });
  const setOne = useMutation({
    mutationFn: ({ space, set, quota }: { space: string; set: QuotaSet; quota: number | null }) =>
      api.setSpaceQuota(space, set, quota),
    onSuccess: changed,
  });
  return { setAll, setOne };
}

export function useStorage() {
  const api = useApi();
  return useQuery({ queryKey: ['admin', 'storage'], queryFn: () => api.storage() });
}

export function useMailState() {
  const api = useApi();
  return useQuery({ queryKey: MAIL_KEY, queryFn: () => api.mailState() });
}

export function useTestMail() {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: MAIL_KEY });
  return useMutation({ mutationFn: () => api.testMail(), onSettled });
}

export function useVersions() {
  const api = useApi();
  return useQuery({ queryKey: ['admin', 'versions'], queryFn: () => api.versions() });
}

export function useQuarantined() {
  const api = useApi();
  return useQuery({ queryKey: ['admin', 'quarantine'], queryFn: () => api.quarantined() });
}
