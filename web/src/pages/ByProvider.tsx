/** What pages in front of a sign-in show of the way to the provider: the button that leads there, and what came of it. */
import { Alert, Button, Divider } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { news, newsTold } from '../app/journey';
import { useWords } from '../i18n/hooks';

interface Props {
  loading?: boolean;
  onClick: () => void;
  children: ReactNode;
}

/** Below the button of a form: the other way in. */
export function ProviderButton({ loading = false, onClick, children }: Props) {
  const { t } = useWords();
  return (
    <>
      <Divider label={t('oidc.or')} styles={{ label: { color: 'var(--weft-dim)' } }} />
      <Button variant="default" fullWidth loading={loading} onClick={onClick}>
        {children}
      </Button>
    </>
  );
}

/** The code with which the browser came back from the provider, for as long as the page is shown. */
export function useFailure(): string | null {
  const [failed] = useState(() => news().failed);
  useEffect(() => newsTold, []);
  return failed;
}

export function Failure({ code }: { code: string | null }) {
  const { t, fault } = useWords();
  if (code === null) return null;
  const text = code === 'email_taken' ? t('oidc.email_taken') : fault({ code, params: {} });
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      styles={{ root: { background: 'var(--weft-error-tint)' }, message: { color: 'var(--weft-error)' } }}
    >
      {text}
    </Alert>
  );
}
