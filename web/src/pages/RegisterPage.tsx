import { Anchor, Button, Text } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { AuthFrame } from './AuthFrame';
import { useRegister } from './useRegister';

export function RegisterPage() {
  const { t } = useWords();
  const navigate = useNavigate();
  const { submit, form, fields } = useRegister({
    invite: null,
    onDone: () => navigate({ to: '/home', replace: true }),
  });
  return (
    <AuthFrame title={t('auth.register_title')} onSubmit={submit}>
      {fields}
      <FaultAlert fault={form.fault} />
      <Button type="submit" loading={form.busy} fullWidth>
        {t('auth.register')}
      </Button>
      <Text ta="center">
        <Anchor component={Link} to="/signin">
          {t('auth.have_account')}
        </Anchor>
      </Text>
    </AuthFrame>
  );
}
