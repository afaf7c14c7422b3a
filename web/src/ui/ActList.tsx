/** Acts of the audit log: the last first, page by page. */
import { Anchor, Button, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { asApiError } from '../api/client';
import { useActs } from '../api/audit';
import type { Act, ActFilter, ActsOf } from '../api/types';
import { actSentence } from '../i18n/acts';
import { useWhen, useWords } from '../i18n/hooks';
import { personName, shownTitle, spaceName } from '../i18n/names';
import classes from './ActList.module.css';
import { FaultAlert } from './FaultAlert';

/** To narrow the list to what an act names. */
export type Narrow = (what: keyof ActFilter, value: string, name: string) => void;

interface Props {
  of: ActsOf;
  label: string;
  onNarrow?: Narrow;
}

export function ActList({ of, label, onNarrow }: Props) {
  const { t } = useWords();
  const acts = useActs(of);
  const rows = acts.data?.pages.flatMap((page) => page.acts) ?? [];
  return (
    <Stack gap={12}>
      {acts.error !== null && <FaultAlert fault={asApiError(acts.error)} />}
      {acts.isPending && <Skeleton className="late" height={56} />}
      {acts.data !== undefined && rows.length === 0 && <Text c="dimmed">{t('audit.empty')}</Text>}
      <ul className={classes.list} aria-label={label} data-testid="audit">
        {rows.map((act) => (
          <Row key={act.id} act={act} onNarrow={onNarrow} />
        ))}
      </ul>
      {acts.hasNextPage && (
        <Button
          variant="default"
          style={{ alignSelf: 'flex-start' }}
          loading={acts.isFetchingNextPage}
          onClick={() => void acts.fetchNextPage()}
        >
          {t('audit.more')}
        </Button>
      )}
    </Stack>
  );
}

function Row({ act, onNarrow }: { act: Act; onNarrow: Narrow | undefined }) {
  const { t, full } = useWords();
  const when = useWhen();
  return (
    <li className={classes.row}>
      <Text span>{actSentence(t, act)}</Text>
      <Text span fz={12} c="dimmed">
        <span title={full(act.at)}>{when(act.at)}</span>
        {act.address !== undefined && ` · ${act.address === '' ? t('audit.here') : act.address}`}
        {onNarrow !== undefined && <Named act={act} onNarrow={onNarrow} />}
      </Text>
    </li>
  );
}

function Named({ act: { by, person, room, space }, onNarrow }: { act: Act; onNarrow: Narrow }) {
  const { t } = useWords();
  const title = room === null ? '' : shownTitle(room.title, t('doc.untitled'));
  const name = (of: { name: string }) => personName(t, of.name);
  return (
    <>
      {by !== null && <Only onClick={() => onNarrow('person', by.id, name(by))}>{name(by)}</Only>}
      {person !== null && person.id !== by?.id && (
        <Only onClick={() => onNarrow('person', person.id, name(person))}>{name(person)}</Only>
      )}
      {room !== null && <Only onClick={() => onNarrow('room', room.id, title)}>{title}</Only>}
      {space !== null && space.name !== '' && (
        <Only onClick={() => onNarrow('space', space.id, space.name)}>
          {spaceName(t, { kind: 'team', name: space.name })}
        </Only>
      )}
    </>
  );
}

function Only({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <>
      {' · '}
      <Anchor component="button" type="button" fz={12} onClick={onClick} style={{ minBlockSize: 24 }}>
        {children}
      </Anchor>
    </>
  );
}
