/** Who changed whose rights, and what else matters to security, in the whole workspace; narrowed at will. */
import { Button, Group, Pill, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { useActs } from '../api/audit';
import type { ActFilter, ActsOf } from '../api/types';
import { useWords } from '../i18n/hooks';
import { ActList, type Narrow } from '../ui/ActList';

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
  const of: ActsOf = { of: 'all', filter: narrowed.filter };
  const { error } = useActs(of);
  const missing = error !== null && asApiError(error).code === 'not_found';
  const narrow: Narrow = (what, value, name) =>
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
      {!missing && <ActList of={of} label={t('audit.title')} onNarrow={narrow} />}
    </Stack>
  );
}
