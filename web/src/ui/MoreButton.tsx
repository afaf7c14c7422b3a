import { ActionIcon, Tooltip, type ActionIconProps } from '@mantine/core';
import { IconDotsVertical } from '@tabler/icons-react';
import type { ComponentPropsWithRef } from 'react';
import { useWords } from '../i18n/hooks';

type Props = ActionIconProps & ComponentPropsWithRef<'button'> & { 'data-testid'?: string };

/** The `:` that opens a menu; `name` says of what. */
export function MoreButton({ name, ...rest }: Props & { name: string }) {
  const { t } = useWords();
  return (
    <Tooltip label={t('action.more')}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        aria-label={t('home.menu_for', { title: name })}
        {...rest}
      >
        <IconDotsVertical size={18} stroke={1.5} />
      </ActionIcon>
    </Tooltip>
  );
}
