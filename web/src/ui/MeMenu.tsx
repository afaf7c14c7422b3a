import { Menu, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconKey, IconLogout, IconSettings, IconUsers } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useLanguageChoice } from '../api/account';
import type { User } from '../api/types';
import { LANGUAGES, type Language } from '../i18n';
import { useWords } from '../i18n/hooks';
import { useSignOut } from './useSignOut';

interface Props {
  user: User;
  position: 'right-end' | 'top-end';
  children: ReactElement;
}

export function MeMenu({ user, position, children }: Props) {
  const { t, language } = useWords();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut(user);
  const speak = useLanguageChoice();
  return (
    <>
      <Menu position={position} width={240} closeOnItemClick={false}>
        <Menu.Target>{children}</Menu.Target>
        <Menu.Dropdown aria-label={t('shell.me_menu')}>
          <div style={{ padding: '8px 12px' }}>
            <Text fw={600} truncate>
              {user.name}
            </Text>
            <Text fz={12} c="dimmed" truncate>
              {user.username}
            </Text>
          </div>
          <Menu.Divider />
          <Menu.Label>{t('shell.language')}</Menu.Label>
          <Menu.RadioGroup
            value={language}
            onChange={(value) => speak(value as Language)}
          >
            {LANGUAGES.map(({ id, name }) => (
              <Menu.RadioItem key={id} value={id}>
                {name}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Label>{t('shell.theme')}</Menu.Label>
          <Menu.RadioGroup
            value={colorScheme}
            onChange={(value) => setColorScheme(value as MantineColorScheme)}
          >
            {(['light', 'dark', 'auto'] as const).map((scheme) => (
              <Menu.RadioItem key={scheme} value={scheme}>
                {t(`shell.theme_${scheme}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Item
            closeMenuOnClick
            leftSection={<IconSettings size={18} stroke={1.5} />}
            component={Link}
            to="/settings"
          >
            {t('settings.title')}
          </Menu.Item>
          {user.admin && (
            <Menu.Item
              closeMenuOnClick
              leftSection={<IconUsers size={18} stroke={1.5} />}
              component={Link}
              to="/admin"
            >
              {t('admin.title')}
            </Menu.Item>
          )}
          <Menu.Item
            closeMenuOnClick
            leftSection={<IconKey size={18} stroke={1.5} />}
            component={Link}
            to="/tokens"
          >
            {t('tokens.title')}
          </Menu.Item>
          <Menu.Item
            closeMenuOnClick
            leftSection={<IconLogout size={18} stroke={1.5} />}
            onClick={() => void signOut.ask()}
          >
            {t('auth.sign_out')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {signOut.dialog}
    </>
  );
}
