/** One's own account: profile and sign-ins, with their caches. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../app/services';
import { ME_KEY } from '../app/session';
import { htmlLang, switchLanguage, type Language } from '../i18n';
import { ApiError } from './client';
import type { Me, ProfileChange } from './types';

const SIGN_INS_KEY = ['sign-ins'] as const;

export const IDENTITY_KEY = ['identity'] as const;

/** Null: the server has no provider. */
export function useIdentity() {
  const api = useApi();
  return useQuery({
    queryKey: IDENTITY_KEY,
    queryFn: () =>
      api.identity().catch((error: unknown) => {
        if (error instanceof ApiError && error.code === 'not_found') return null;
        throw error;
      }),
  });
}

/** Stores a change of the profile, and shows it everywhere. */
export function useChangeProfile(): (change: ProfileChange) => Promise<void> {
  const api = useApi();
  const queries = useQueryClient();
  return async (change) => {
    const user = await api.changeProfile(change);
    queries.setQueryData<Me | null>(ME_KEY, (me) => me && { ...me, user });
  };
}

/** Switches the language here, and that of what the server writes to the person. */
export function useLanguageChoice(): (language: Language) => void {
  const change = useChangeProfile();
  return (language) => {
    switchLanguage(language);
    // This browser speaks it all the same; the next choice tells the server again.
    change({ language: htmlLang(language) }).catch(() => undefined);
  };
}

export function useSignIns() {
  const api = useApi();
  return useQuery({
    queryKey: SIGN_INS_KEY,
    queryFn: () => api.signIns(),
    refetchOnWindowFocus: 'always',
  });
}

export function useSignInActs() {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: SIGN_INS_KEY });
  const end = useMutation({ mutationFn: (id: string) => api.endSignIn(id), onSettled });
  const endOthers = useMutation({ mutationFn: () => api.endOtherSignIns(), onSettled });
  const changePassword = useMutation({
    mutationFn: (form: { password: string; fresh: string }) =>
      api.changePassword(form.password, form.fresh),
    onSettled,
  });
  return { end, endOthers, changePassword };
}
