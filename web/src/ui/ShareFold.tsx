/** A line of the Share dialog that shows what is below it, or hides it. */
import { UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Share.module.css';

interface Props {
  open: boolean;
  onToggle: () => void;
  /** The id of what it shows. */
  shows: string;
  children: ReactNode;
}

export function ShareFold({ open, onToggle, shows, children }: Props) {
  return (
    <UnstyledButton className={classes.who} aria-expanded={open} aria-controls={shows} onClick={onToggle}>
      <IconChevronDown size={16} stroke={1.5} aria-hidden="true" data-open={open || undefined} />
      {children}
    </UnstyledButton>
  );
}
