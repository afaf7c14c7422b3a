/** Names and what they come to, one below the other. */
import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { asApiError } from '../../api/client';
import { FaultAlert } from '../../ui/FaultAlert';
import classes from '../Settings.module.css';

interface Props<T> {
  answer: { data: T | undefined; error: unknown; isPending: boolean };
  rows: (data: T) => [name: string, value: ReactNode][];
}

export function Facts<T>({ answer, rows }: Props<T>) {
  if (answer.data === undefined) {
    return answer.isPending ? (
      <Skeleton className="late" height={56} />
    ) : (
      <FaultAlert fault={asApiError(answer.error)} />
    );
  }
  return (
    <dl className={classes.facts}>
      {rows(answer.data).map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
