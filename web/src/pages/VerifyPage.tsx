/** A link that shows that an address is somebody's was opened. */
import { Button, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { takeHashSecret } from '../app/secret';
import { useApi } from '../app/services';
import { ME_KEY } from '../app/session';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { useForm } from './useForm';

/** Asks first: programs that look at links in mail press no buttons. */
export function VerifyPage() {
  const { t } = useWords();
  const api = useApi();
  const queries = useQueryClient();
  const form = useForm();
  const [secret] = useState(takeHashSecret);
  const [email, setEmail] = useState<string | null>(null);
  const submit = () =>
    void form.run(async () => {
      setEmail((await api.verifyEmail(secret)).email);
      await queries.invalidateQueries({ queryKey: ME_KEY });
    });
  const home = (
    <Button component={Link} to="/home" fullWidth>
      {t('verify.go')}
    </Button>
  );
  if (email !== null) {
    return (
      <AuthFrame title={t('verify.title')}>
        <Text role="status">{t('verify.done', { email })}</Text>
        {home}
      </AuthFrame>
    );
  }
  if (secret === '' || form.fault?.code === 'link_expired') {
    return (
      <AuthFrame title={t('verify.title')}>
        <Text role="status">{t('verify.expired')}</Text>
        {home}
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={t('verify.title')} lead={t('verify.lead')} onSubmit={submit}>
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth data-autofocus>
        {t('verify.confirm')}
      </Button>
    </AuthFrame>
  );
}
