/** Members of a team space, and for those who govern it its settings. */
import { Tabs } from '@mantine/core';
import { useState } from 'react';
import { mayGovern, useSpaces } from '../api/spaces';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import { Dialog } from './Dialog';
import { SpaceMembers } from './SpaceMembers';
import { SpaceSettings } from './SpaceSettings';

interface Props {
  id: string;
  tab: 'members' | 'settings';
  opened: boolean;
  onClose: () => void;
}

export function SpaceDialog({ id, tab, opened, onClose }: Props) {
  const { t } = useWords();
  const space = useSpaces().data?.spaces.find((one) => one.id === id);
  const [shown, setShown] = useState<string | null>(tab);
  const title = space === undefined ? t('space.members') : spaceName(t, space);
  return (
    <Dialog title={title} size={560} opened={opened} onClose={onClose}>
      {space !== undefined && !mayGovern(space) && <SpaceMembers space={space} onLeft={onClose} />}
      {space !== undefined && mayGovern(space) && (
        <Tabs value={shown} onChange={setShown} keepMounted={false}>
          <Tabs.List mb={16}>
            <Tabs.Tab value="members">{t('space.members')}</Tabs.Tab>
            <Tabs.Tab value="settings">{t('space.settings')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="members">
            <SpaceMembers space={space} onLeft={onClose} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <SpaceSettings space={space} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Dialog>
  );
}
