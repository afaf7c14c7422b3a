import { Anchor, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useWords } from '../i18n/hooks';
import { AuthFrame } from './AuthFrame';

/** An address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useWords();
  return (
    <AuthFrame title={t('room.not_found')}>
      <Text>
        <Anchor component={Link} to="/home">
          {t('action.home')}
        </Anchor>
      </Text>
    </AuthFrame>
  );
}
