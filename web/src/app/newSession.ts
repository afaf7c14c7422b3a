import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import type { Services } from './services';
import { SessionHolder } from './session';

/** An answer of the server is final; no answer is worth two more tries. */
function worthRetry(failures: number, error: Error): boolean {
  const noAnswer = error instanceof ApiError && (error.status === 0 || error.status >= 502);
  return noAnswer && failures < 2;
}

/** A call that was refused because the sign-in has ended; `me` handles its own. */
function isLostSignIn(error: Error): boolean {
  return error instanceof ApiError && error.code === 'not_signed_in';
}

/** Nobody's yet, with nothing asked for. */
export function newSession(services: Services): SessionHolder {
  const onError = (error: Error) => {
    if (isLostSignIn(error)) session.lost();
  };
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { retry: worthRetry, staleTime: 5_000, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
  const session = new SessionHolder(services, queries);
  return session;
}
