/** Who changed whose rights, and what else matters to security: the last first, page by page. */
import { Anchor, Button, Group, Pill, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { asApiError } from '../api/client';
import { useActs } from '../api/audit';
import type { Act, ActFilter } from '../api/types';
import { actSentence } from '../i18n/acts';
import { useWhen, useWords } from '../i18n/hooks';
import { personName, shownTitle, spaceName } from '../i18n/names';
import { FaultAlert } from '../ui/FaultAlert';
import classes from './Settings.module.css';

/** What the list is narrowed to, with how that is called. */
interface Narrowed {
  filter: ActFilter;
  names: { person?: string; room?: string; space?: string };
}

const ALL: Narrowed = { filter: {}, names: {} };

export function AuditLog() {
  const { t } = useWords();
  const [narrowed, setNarrowed] = useState(ALL);
  const [typed, setTyped] = useState('');
  const acts = useActs(narrowed.filter);
  const narrow = (what: keyof ActFilter, value: string, name: string) =>
    setNarrowed(({ filter, names }) => ({
      filter: { ...filter, [what]: value },
      names: { ...names, [what]: name },
    }));
  const widen = (what: keyof ActFilter) =>
    setNarrowed(({ filter: { [what]: _value, ...filter }, names: { [what]: _name, ...names } }) => ({
      filter,
      names,
    }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const username = typed.trim();
    if (username === '') return;
    narrow('person', username, username);
    setTyped('');
  };
  const fault = acts.error === null ? null : asApiError(acts.error);
  const missing = fault?.code === 'not_found';
  const rows = acts.data?.pages.flatMap((page) => page.acts) ?? [];
  return (
    <Stack gap={12}>
      <form onSubmit={submit}>
        <Group gap={8} align="flex-start">
          <TextInput
            style={{ flex: 1 }}
            aria-label={t('audit.of_person')}
            placeholder={t('audit.of_person')}
            value={typed}
            error={missing ? t('share.no_person') : undefined}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
          <Button type="submit" variant="default">
            {t('audit.show')}
          </Button>
        </Group>
      </form>
      {Object.entries(narrowed.names).length > 0 && (
        <Group gap={8} aria-label={t('audit.only')} role="group">
          {Object.entries(narrowed.names).map(([what, name]) => (
            <Pill
              key={what}
              size="md"
              withRemoveButton
              removeButtonProps={{ 'aria-label': t('audit.widen', { name }), 'aria-hidden': false, tabIndex: 0 }}
              onRemove={() => widen(what as keyof ActFilter)}
            >
              {name}
            </Pill>
          ))}
        </Group>
      )}
      {fault !== null && !missing && <FaultAlert fault={fault} />}
      {acts.isPending && <Skeleton className="late" height={56} />}
      {acts.data !== undefined && rows.length === 0 && <Text c="dimmed">{t('audit.empty')}</Text>}
      <ul className={classes.list} data-testid="audit">
        {rows.map((act) => (
          <Row key={act.id} act={act} onNarrow={narrow} />
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

interface RowProps {
  act: Act;
  onNarrow: (what: keyof ActFilter, value: string, name: string) => void;
}

function Row({ act, onNarrow }: RowProps) {
  const { t, full } = useWords();
  const when = useWhen();
  const room = act.room === null ? null : shownTitle(act.room.title, t('doc.untitled'));
  const { room: inRoom, space, by, person } = act;
  return (
    <li className={classes.row}>
      <span className={classes.text}>
        <Text span>{actSentence(t, act)}</Text>
        <Text span fz={12} c="dimmed">
          <span title={full(act.at)}>{when(act.at)}</span>
          {' · '}
          {act.address === '' ? t('audit.here') : act.address}
          {by !== null && <Only onClick={() => onNarrow('person', by.id, personName(t, by.name))}>{personName(t, by.name)}</Only>}
          {person !== null && person.id !== by?.id && (
            <Only onClick={() => onNarrow('person', person.id, personName(t, person.name))}>{personName(t, person.name)}</Only>
          )}
          {inRoom !== null && room !== null && (
            <Only onClick={() => onNarrow('room', inRoom.id, room)}>{room}</Only>
          )}
          {space !== null && space.name !== '' && (
            <Only onClick={() => onNarrow('space', space.id, space.name)}>
              {spaceName(t, { kind: 'team', name: space.name })}
            </Only>
          )}
        </Text>
      </span>
    </li>
  );
}

/** Narrows the list to what it names. */
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
