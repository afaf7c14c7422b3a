/** To whom something is given: a person found by name, user name or address, or a team. */
import { Autocomplete } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { usePeopleFound } from '../api/share';
import { useSpaces } from '../api/spaces';
import type { GrantTo, Named } from '../api/types';
import { useWords } from '../i18n/hooks';
import { match } from './find/match';
import { usePinyin } from './find/usePinyin';
import { isImeKey } from './ime';
import classes from './Share.module.css';

/** What stands in the field, and what was picked for it. */
export interface Whom {
  text: string;
  picked: GrantTo | null;
}

export const NOBODY: Whom = { text: '', picked: null };

/** What was not picked is a user name. */
export const asGrantee = ({ text, picked }: Whom): GrantTo => picked ?? { username: text.trim() };

const OPTIONS_MAX = 8;
const TYPING_MS = 250;

interface Option {
  value: string;
  label: string;
  to: GrantTo;
}

interface Props {
  whom: Whom;
  onChange: (whom: Whom) => void;
  error: string | undefined;
}

export function GranteeField({ whom, onChange, error }: Props) {
  const { t } = useWords();
  const options = useOptions(whom.text);
  return (
    <Autocomplete
      className={classes.username}
      aria-label={t('share.to')}
      placeholder={t('share.to')}
      data={options.map(({ value, label }) => ({ value, label }))}
      // They have been looked through already, by pinyin, too.
      filter={({ options: all }) => all}
      openOnFocus={false}
      value={whom.text}
      error={error}
      onChange={(text) => {
        // Picking writes the label into the field, too.
        const picked = options.find(({ label }) => label === text)?.to ?? null;
        onChange({ text, picked });
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
      }}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      data-autofocus
    />
  );
}

function useOptions(typed: string): Option[] {
  const asked = typed.trim();
  const [settled] = useDebouncedValue(asked, TYPING_MS);
  const near = usePeopleFound(null).data ?? [];
  const found = usePeopleFound(settled).data ?? [];
  const teams = (useSpaces().data?.spaces ?? []).filter(({ kind }) => kind === 'team');
  const sounds = usePinyin(asked);
  if (asked === '') return [];
  const score = (name: string) => match(asked, name, sounds)?.score ?? 0;
  const best = ({ name, username }: Named) => Math.max(score(name), score(username));
  // Whom the server has found fits, also by an address that is not shown.
  const known = new Map<string, Named>(found.filter((person) => fits(person, asked)).map((one) => [one.id, one]));
  if (settled === asked) for (const person of found) known.set(person.id, person);
  for (const person of near) if (best(person) > 10) known.set(person.id, person);
  const people = [...known.values()].sort((one, other) => best(other) - best(one)).map(option);
  const spaces = teams
    .filter(({ name }) => score(name) > 10)
    .map(({ id, name }): Option => ({ value: `space ${id}`, label: name, to: { space: id } }));
  return [...people, ...spaces].slice(0, OPTIONS_MAX);
}

const fits = ({ name, username }: Named, asked: string): boolean =>
  [name, username].some((text) => text.toLowerCase().includes(asked.toLowerCase()));

const option = ({ id, name, username }: Named): Option => ({
  value: `person ${id}`,
  label: name === username ? username : `${name} (${username})`,
  to: { username },
});
