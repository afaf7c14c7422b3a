/** One's own settings: who one is, the password, where one is signed in, and how the app looks. */
import {
  Anchor,
  SegmentedControl,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useLanguageChoice } from '../api/account';
import { useSpace } from '../api/spaces';
import { useMe } from '../app/session';
import { LANGUAGES, type Language } from '../i18n';
import { useWords } from '../i18n/hooks';
import { StorageOfSpace } from '../ui/StorageBar';
import { usePageTitle } from '../ui/usePageTitle';
import { DeleteAccount } from './DeleteAccount';
import { Devices } from './Devices';
import { DigestChoice } from './DigestChoice';
import { PasswordForm } from './PasswordForm';
import { PictureForm } from './PictureForm';
import { ProfileForm } from './ProfileForm';
import { ProviderLink } from './ProviderLink';
import { PushChoice } from './PushChoice';
import { SecondFactor } from './SecondFactor';
import { Section } from './Section';
import classes from './Settings.module.css';

export function SettingsPage() {
  const { t } = useWords();
  const user = useMe().data?.user;
  usePageTitle(t('settings.title'));
  if (user === undefined) return null;
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <Title order={1} fz={24} mb={24}>
        {t('settings.title')}
      </Title>
      <Section title={t('settings.profile')}>
        <PictureForm user={user} />
        <ProfileForm user={user} />
      </Section>
      <Section
        title={t('auth.password')}
        lead={user.has_password ? t('settings.password_lead') : t('settings.password_none')}
      >
        <PasswordForm user={user} />
      </Section>
      <ProviderLink user={user} />
      <Section title={t('factor.title')} lead={t('factor.lead')}>
        <SecondFactor user={user} />
      </Section>
      <Section title={t('settings.devices')} lead={t('settings.devices_lead')}>
        <Devices />
      </Section>
      <PushChoice />
      <DigestChoice user={user} />
      <OwnStorage id={user.id} />
      <Section title={t('tokens.title')} lead={t('tokens.lead')}>
        <Anchor component={Link} to="/tokens" underline="always">
          {t('settings.tokens')}
        </Anchor>
      </Section>
      <Section title={t('settings.looks')}>
        <Looks />
      </Section>
      <Section title={t('leave.title')} lead={t('leave.lead')}>
        <DeleteAccount user={user} />
      </Section>
    </main>
  );
}

/** What one's own space holds: it has the person's id. */
function OwnStorage({ id }: { id: string }) {
  const { t } = useWords();
  const { data } = useSpace(id);
  if (data === undefined || data.storage_used === null) return null;
  return (
    <Section title={t('storage.own')}>
      <StorageOfSpace used={data.storage_used} quota={data.quota} />
    </Section>
  );
}

function Looks() {
  const { t, language } = useWords();
  const speak = useLanguageChoice();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Stack gap={16} align="flex-start">
      <div>
        <Text mb={4}>{t('shell.language')}</Text>
        <SegmentedControl
          aria-label={t('shell.language')}
          value={language}
          onChange={(value) => speak(value as Language)}
          data={LANGUAGES.map(({ id, name }) => ({ value: id, label: name }))}
        />
      </div>
      <div>
        <Text mb={4}>{t('shell.theme')}</Text>
        <SegmentedControl
          aria-label={t('shell.theme')}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as MantineColorScheme)}
          data={(['light', 'dark', 'auto'] as const).map((scheme) => ({
            value: scheme,
            label: t(`shell.theme_${scheme}`),
          }))}
        />
      </div>
    </Stack>
  );
}
