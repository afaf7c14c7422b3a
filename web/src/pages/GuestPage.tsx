/** One room, for somebody without an account who came by its link. */
import { QueryClientProvider } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Guest } from '../api/types';
import { GuestProvider, guestServices, guestSession } from '../app/guest';
import type { HeldLink } from '../app/link';
import { ServicesContext } from '../app/services';
import { SessionContext, useMe } from '../app/session';
import { useWords } from '../i18n/hooks';
import { Dialogs } from '../ui/dialogs';
import { PageState } from '../ui/PageState';
import classes from '../ui/Shell.module.css';
import { LinkForm } from './LinkForm';

export function GuestPage({ link }: { link: HeldLink }) {
  const [guest, setGuest] = useState<Guest | null>(null);
  if (guest === null) return <LinkForm link={link} signedIn={false} onOpen={setGuest} />;
  return <AsGuest room={link.room} guest={guest} />;
}

function AsGuest({ room, guest }: { room: string; guest: Guest }) {
  const [services] = useState(() => guestServices(room, guest));
  const [session] = useState(() => guestSession(services, guest));
  useEffect(() => () => void session.end(), [session]);
  return (
    <ServicesContext value={services}>
      <SessionContext value={session}>
        <QueryClientProvider client={session.queries}>
          <GuestProvider value={true}>
            <Dialogs>
              <Room />
            </Dialogs>
          </GuestProvider>
        </QueryClientProvider>
      </SessionContext>
    </ServicesContext>
  );
}

function Room() {
  const { t } = useWords();
  const isOver = useMe().data === null;
  return (
    <div className={classes.shell} data-phone={true}>
      <a className="skip-link no-print" href="#main">
        {t('shell.skip')}
      </a>
      <div className={classes.content}>
        {isOver ? (
          <main id="main" tabIndex={-1}>
            <PageState title={t('link.expired')} />
          </main>
        ) : (
          <Outlet />
        )}
      </div>
    </div>
  );
}
