import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '../ui/global.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { useWords } from '../i18n/hooks';
import { cssVariablesResolver, SCHEME_KEY, theme } from '../ui/theme';
import { newSession } from './newSession';
import { makeRouter } from './router';
import { ServicesContext, type Services } from './services';
import { SessionContext } from './session';

const colorSchemeManager = localStorageColorSchemeManager({ key: SCHEME_KEY });

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
