/** Opening a room's link: at once if it can be, else with a name or a password. */
import { Anchor, Button, Loader, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, asApiError } from '../api/client';
import type { Guest, RoomLinkLook } from '../api/types';
import { carryLink, type HeldLink } from '../app/link';
import { useApi } from '../app/services';
import type { FaultLike } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { Field, PasswordField, type FieldErrors } from './fields';
import { useForm } from './useForm';

interface Props {
  link: HeldLink;
  signedIn: boolean;
  /** Null: who is signed in holds the link. */
  onOpen: (guest: Guest | null) => void;
  /** It does not open; who is signed in may have access all the same. */
  onFault?: () => void;
}

export function LinkForm({ link, signedIn, onOpen, onFault }: Props) {
  const { t } = useWords();
  const api = useApi();
  const [look, setLook] = useState<RoomLinkLook | null>(null);
  const [fault, setFault] = useState<FaultLike | null>(null);
  const tried = useRef(false);
  const open = useCallback(
    async (details: { name?: string; password?: string }) => {
      const { guest } = await api.openLink({ ...link, ...details });
      onOpen(guest);
    },
    [api, link, onOpen],
  );
  useEffect(() => {
    if (tried.current) return;
    tried.current = true;
    open({})
      .catch(async (error: unknown) => {
        if (!asksForMore(error)) throw error;
        setLook(await api.lookAtLink(link));
      })
      .catch((error: unknown) => (onFault === undefined ? setFault(asApiError(error)) : onFault()));
  }, [api, link, open, onFault]);

  if (look !== null) return <Asked look={look} link={link} signedIn={signedIn} open={open} />;
  if (fault?.code === 'not_signed_in') {
    return (
      <AuthFrame title={t('guest.title_plain')} lead={t('guest.sign_in_first')}>
        <SignInInstead link={link} filled />
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={t('guest.title_plain')} lead={fault === null ? t('guest.opening') : undefined}>
      {fault === null ? <Loader size="sm" /> : <FaultAlert fault={fault} />}
      {fault !== null && <SignInInstead link={link} />}
    </AuthFrame>
  );
}

function asksForMore(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { code, params } = error;
  return code === 'link_password_needed' || (code === 'bad_request' && params['field'] === 'name');
}

interface AskedProps {
  look: RoomLinkLook;
  link: HeldLink;
  signedIn: boolean;
  open: (details: { name?: string; password?: string }) => Promise<void>;
}

function Asked({ look, link, signedIn, open }: AskedProps) {
  const { t } = useWords();
  const form = useForm();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const asksName = !signedIn && look.right !== 'read';
  const submit = () => {
    const missing: FieldErrors = {};
    if (asksName && name.trim() === '') missing.name = t('field.required');
    if (look.has_password && password === '') missing.password = t('field.required');
    if (Object.keys(missing).length > 0) return form.refuse(missing);
    void form.run(async () => {
      try {
        await open({ ...(asksName ? { name: name.trim() } : {}), ...(look.has_password ? { password } : {}) });
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'wrong_link_password')) throw error;
        form.refuse({ password: t('fault.wrong_link_password') });
      }
    });
  };
  const title =
    look.title === null
      ? t('guest.title_plain')
      : t('guest.title', { title: shownTitle(look.title, t('doc.untitled')) });
  return (
    <AuthFrame title={title} lead={signedIn ? undefined : t(`guest.lead.${look.right}`)} onSubmit={submit}>
      {asksName && (
        <Field
          name="name"
          label={t('guest.name')}
          description={t('guest.name_hint')}
          value={name}
          onChange={setName}
          error={form.errors.name}
          autoComplete="name"
          autoFocus
        />
      )}
      {look.has_password && (
        <PasswordField
          label={t('guest.password')}
          value={password}
          onChange={setPassword}
          error={form.errors.password}
          fresh={false}
        />
      )}
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('guest.open')}
      </Button>
      {!signedIn && <SignInInstead link={link} />}
    </AuthFrame>
  );
}

function SignInInstead({ link, filled }: { link: HeldLink; filled?: boolean }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const go = () => {
    carryLink(link);
    void navigate({ to: '/signin', search: { next: `/o/${link.room}` } });
  };
  if (filled === true) {
    return (
      <Button fullWidth onClick={go}>
        {t('guest.sign_in')}
      </Button>
    );
  }
  return (
    <Text ta="center">
      <Anchor component="button" type="button" onClick={go}>
        {t('auth.sign_in_instead')}
      </Anchor>
    </Text>
  );
}
