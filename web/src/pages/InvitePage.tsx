import { Anchor, Button, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { asApiError } from '../api/client';
import type { InviteLook } from '../api/types';
import { stashInvite, takeInvite, type HeldInvite } from '../app/invite';
import { leaveFor } from '../app/journey';
import { useApi } from '../app/services';
import { useMe } from '../app/session';
import { htmlLang } from '../i18n';
import type { FaultLike } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { Failure, ProviderButton, useFailure } from './ByProvider';
import { useSignIn } from './SignInPage';
import { useForm } from './useForm';
import { useRegister } from './useRegister';

export function InvitePage() {
  const { t } = useWords();
  const api = useApi();
  const me = useMe();
  const [{ secret, toWorkspace: knownToWorkspace }] = useState(takeInvite);
  const failed = useFailure();
  const look = useQuery({
    queryKey: ['invite'],
    queryFn: () => api.lookAtInvite(secret),
    enabled: secret !== '',
    retry: false,
    gcTime: 0,
  });
  const accept = useAccept(secret);
  const signedIn = me.data !== null && me.data !== undefined;
  // Once only. Also after signing in or joining here or at the provider, for then `signedIn` becomes true.
  const tried = useRef(false);
  const { go } = accept;
  const toWorkspace = knownToWorkspace || look.data?.room === null;
  const settled = !look.isPending;
  useEffect(() => {
    if (!signedIn || secret === '' || !settled || tried.current) return;
    tried.current = true;
    void go(toWorkspace);
  }, [signedIn, secret, settled, toWorkspace, go]);

  // Who is in does not ask whether the link still works: it may have been used up for them.
  const asks = !signedIn && !me.isPending;
  const fault = secret === '' ? LINK_EXPIRED : (accept.fault ?? (asks ? faultOf(look.error) : null));
  if (fault !== null) return <InviteFault fault={fault} signedIn={signedIn} />;
  if (look.data === undefined || me.isPending || signedIn) {
    return (
      <AuthFrame title={t('invite.title_plain')} lead={t('invite.opening')}>
        <Loader size="sm" />
      </AuthFrame>
    );
  }
  return <InviteForms look={look.data} secret={secret} failed={failed} />;
}

/** The page itself goes on once somebody is signed in. */
const nothing = () => undefined;

const LINK_EXPIRED: FaultLike = { code: 'link_expired', params: {} };

function faultOf(error: Error | null): FaultLike | null {
  return error === null ? null : asApiError(error);
}

function useAccept(secret: string) {
  const api = useApi();
  const navigate = useNavigate();
  const [fault, setFault] = useState<FaultLike | null>(null);
  const [go] = useState(() => async (toWorkspace: boolean) => {
    // The account was all that the link is for, and that may have used it up.
    if (toWorkspace) return navigate({ to: '/home', replace: true });
    try {
      const { room } = await api.acceptInvite(secret);
      if (room === null) return await navigate({ to: '/home', replace: true });
      await navigate({ to: '/o/$id', params: { id: room.id }, replace: true, state: { caret: true } });
    } catch (error) {
      setFault(asApiError(error));
    }
  });
  return { go, fault };
}

function InviteFault({ fault, signedIn }: { fault: FaultLike; signedIn: boolean }) {
  const { t } = useWords();
  return (
    <AuthFrame title={t('invite.title_plain')}>
      <FaultAlert fault={fault} />
      <Text>
        <Anchor component={Link} to={signedIn ? '/home' : '/signin'}>
          {signedIn ? t('action.home') : t('auth.sign_in')}
        </Anchor>
      </Text>
    </AuthFrame>
  );
}

interface InviteFormsProps {
  look: InviteLook;
  secret: string;
  /** With what the browser came back from the provider, if in vain. */
  failed: string | null;
}

function InviteForms({ look, secret, failed }: InviteFormsProps) {
  const { t } = useWords();
  const [existing, setExisting] = useState(false);
  const title = t('invite.title', { name: look.invited_by.name });
  const lead =
    look.room === null ? (
      t('invite.to_workspace')
    ) : (
      <>
        {t('invite.to', { title: shownTitle(look.room.title, t('doc.untitled')) })}
        <br />
        {t(`invite.right.${look.right}`)}
      </>
    );
  const email = look.room === null ? look.email : null;
  const invite = { secret, toWorkspace: look.room === null };
  const props = { title, lead, failed, invite, onOther: () => setExisting(!existing) };
  return existing ? <SignInForm {...props} /> : <JoinForm {...props} email={email} />;
}

interface FormProps {
  title: string;
  lead: React.ReactNode;
  failed: string | null;
  invite: HeldInvite;
  onOther: () => void;
}

function JoinForm({ title, lead, failed, invite, email, onOther }: FormProps & { email: string | null }) {
  const { t } = useWords();
  const { submit, form, fields } = useRegister({ invite: invite.secret, email, onDone: nothing });
  return (
    <AuthFrame title={title} lead={lead} onSubmit={submit}>
      <Failure code={failed} />
      {fields}
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('invite.join')}
      </Button>
      <ByProvider invite={invite} />
      <Button variant="subtle" onClick={onOther} fullWidth>
        {t('auth.sign_in_instead')}
      </Button>
    </AuthFrame>
  );
}

function SignInForm({ title, lead, failed, invite, onOther }: FormProps) {
  const { t } = useWords();
  const { submit, form, fields } = useSignIn(nothing);
  return (
    <AuthFrame title={title} lead={lead} onSubmit={submit}>
      <Failure code={failed} />
      {fields}
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('auth.sign_in')}
      </Button>
      <ByProvider invite={invite} />
      <Button variant="subtle" onClick={onOther} fullWidth>
        {t('auth.register')}
      </Button>
    </AuthFrame>
  );
}

/** The way by the provider, if there is one: the browser comes back to this page. */
function ByProvider({ invite }: { invite: HeldInvite }) {
  const { t, language } = useWords();
  const api = useApi();
  const form = useForm();
  const setup = useQuery({ queryKey: ['setup'], queryFn: api.setupNeeded, retry: false });
  const provider = setup.data?.oidc ?? null;
  if (provider === null) return null;
  const go = () => {
    void form.run(async () => {
      const url = await api.joinByProvider(invite.secret, htmlLang(language));
      stashInvite(invite);
      leaveFor(url);
    });
  };
  return (
    <>
      <ProviderButton loading={form.busy} onClick={go}>
        {t('oidc.continue', { name: provider.name })}
      </ProviderButton>
      <FaultAlert fault={form.fault} />
    </>
  );
}
