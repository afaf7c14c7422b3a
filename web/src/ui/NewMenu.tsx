import { Menu } from '@mantine/core';
import type { ReactElement } from 'react';
import type { Kind } from '../api/types';
import { useRoomActs } from '../api/rooms';
import { useWords } from '../i18n/hooks';
import { KindIcon } from './KindIcon';

const KINDS: Kind[] = ['doc', 'order'];

/** Wraps a button; choosing a kind makes one and opens it. */
export function NewMenu({ children }: { children: ReactElement }) {
  const { t } = useWords();
  const { create, creating } = useRoomActs();
  return (
    <Menu position="bottom-start" width={200}>
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown>
        {KINDS.map((kind) => (
          <Menu.Item
            key={kind}
            leftSection={<KindIcon kind={kind} />}
            disabled={creating}
            onClick={() => create(kind)}
          >
            {t(`kind.${kind}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
