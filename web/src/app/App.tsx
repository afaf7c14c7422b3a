import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '../ui/global.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '../api/client';
import { useWords } from '../i18n/hooks';
import { cssVariablesResolver, SCHEME_KEY, theme } from '../ui/theme';
import { makeRouter } from './router';
import { ServicesContext, type Services } from './services';
import { SessionHolder, SessionContext } from './session';

const colorSchemeManager = localStorageColorSchemeManager({ key: SCHEME_KEY });

/** An answer of the server is final; no answer is worth two more tries. */
function worthRetry(failures: number, error: Error): boolean {
  const noAnswer = error instanceof ApiError && (error.status === 0 || error.status >= 502);
  return noAnswer && failures < 2;
}

/** A call that was refused because the sign-in has ended; `me` handles its own. */
function isLostSignIn(error: Error): boolean {
  return error instanceof ApiError && error.code === 'not_signed_in';
}

function newSession(services: Services): SessionHolder {
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

export function App({ services }: { services: Services }) {
  const [session] = useState(() => newSession(services));
  const [router] = useState(makeRouter);
  return (
    <ServicesContext.Provider value={services}>
      <SessionContext.Provider value={session}>
        <QueryClientProvider client={session.queries}>
          <MantineProvider
            theme={theme}
            cssVariablesResolver={cssVariablesResolver}
            colorSchemeManager={colorSchemeManager}
            defaultColorScheme="auto"
          >
            <Notices />
            <RouterProvider router={router} />
          </MantineProvider>
        </QueryClientProvider>
      </SessionContext.Provider>
    </ServicesContext.Provider>
  );
}

function Notices() {
  const { t } = useWords();
  const phone = window.matchMedia('(max-width: 47.99em)').matches;
  return (
    <section aria-label={t('shell.notices')} className="no-print">
      <Notifications
        position={phone ? 'top-center' : 'bottom-right'}
        limit={3}
        autoClose={5_000}
        withinPortal={false}
        zIndex={400}
      />
    </section>
  );
}
