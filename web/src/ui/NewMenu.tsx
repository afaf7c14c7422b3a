import { Menu } from '@mantine/core';
import { useRef, type ReactElement } from 'react';
import { usePlace } from '../app/place';
import { useWords } from '../i18n/hooks';
import { NewItems } from './FolderMenu';

/** Wraps a button; choosing a kind makes one where one is and opens it. */
export function NewMenu({ children }: { children: ReactElement }) {
  const { t } = useWords();
  const around = useRef<HTMLDivElement>(null);
  const { place, name } = usePlace();
  return (
    <div ref={around} style={{ display: 'contents' }}>
      <Menu position="bottom-start" width={220}>
        <Menu.Target>{children}</Menu.Target>
        <Menu.Dropdown>
          <NewItems
            place={place}
            returnTo={() => around.current?.querySelector('button') ?? null}
            label={t('folder.new_in_name', { name })}
          />
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
