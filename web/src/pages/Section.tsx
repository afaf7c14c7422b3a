/** A part of a page of settings, under its own heading. */
import { Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';
import classes from './Settings.module.css';

export function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const heading = useId();
  return (
    <section className={classes.section} aria-labelledby={heading}>
      <Title order={2} fz={18} mb={lead === undefined ? 12 : 4} id={heading}>
        {title}
      </Title>
      {lead !== undefined && (
        <Text c="dimmed" mb={12}>
          {lead}
        </Text>
      )}
      {children}
    </section>
  );
}
