/** Who has an account: found, filtered, page by page. */
import { Button, NativeSelect, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useAccounts } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { Account, AccountQuery } from '../../api/types';
import { useMe } from '../../app/session';
import { useWhen, useWords } from '../../i18n/hooks';
import { Avatar } from '../../ui/Avatar';
import { FaultAlert } from '../../ui/FaultAlert';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { AccountMenu } from './AccountMenu';

const SEARCH_WAIT_MS = 250;

export function PeopleSection() {
  const { t } = useWords();
  const [typed, setTyped] = useState('');
  const [wanted, setWanted] = useState<AccountQuery>({ query: '', role: '', state: '' });
  const [query] = useDebouncedValue(wanted.query, SEARCH_WAIT_MS);
  const accounts = useAccounts({ ...wanted, query });
  const people = accounts.data?.pages.flatMap((page) => page.people);
  const search = (text: string) => setWanted({ ...wanted, query: text.trim() });
  return (
    <Section title={t('admin.people')}>
      <Stack gap={16} align="stretch">
        <div className={classes.filters}>
          <TextInput
            type="search"
            label={t('admin.search')}
            value={typed}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              // What is being composed is no word yet.
              if (!(event.nativeEvent as InputEvent).isComposing) search(event.currentTarget.value);
            }}
            onCompositionEnd={(event) => search(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('space.role')}
            value={wanted.role}
            onChange={(event) => setWanted({ ...wanted, role: event.currentTarget.value as AccountQuery['role'] })}
            data={[
              { value: '', label: t('admin.everybody') },
              { value: 'admin', label: t('admin.role_admin') },
              { value: 'member', label: t('admin.role_member') },
            ]}
          />
          <NativeSelect
            label={t('admin.state')}
            value={wanted.state}
            onChange={(event) => setWanted({ ...wanted, state: event.currentTarget.value as AccountQuery['state'] })}
            data={[
              { value: '', label: t('admin.everybody') },
              { value: 'active', label: t('admin.state_active') },
              { value: 'deactivated', label: t('admin.state_deactivated') },
            ]}
          />
        </div>
        {accounts.isError && people === undefined && <FaultAlert fault={asApiError(accounts.error)} />}
        {accounts.isPending && <Skeleton className="late" height={56} />}
        {people !== undefined && people.length === 0 && (
          <Text c="dimmed" role="status">
            {t('admin.nobody')}
          </Text>
        )}
        {people !== undefined && people.length > 0 && (
          <ul className={classes.list} aria-label={t('admin.people')}>
            {people.map((account) => (
              <AccountRow key={account.id} account={account} />
            ))}
          </ul>
        )}
        {accounts.hasNextPage && (
          <Button
            variant="default"
            style={{ alignSelf: 'flex-start' }}
            loading={accounts.isFetchingNextPage}
            onClick={() => void accounts.fetchNextPage()}
          >
            {t('admin.more')}
          </Button>
        )}
      </Stack>
    </Section>
  );
}

function AccountRow({ account }: { account: Account }) {
  const { t } = useWords();
  const when = useWhen();
  const me = useMe().data?.user;
  const own = account.id === me?.id;
  const { name, username, email } = account;
  const facts = [
    username,
    email,
    account.state === 'deactivated'
      ? t('admin.state_deactivated')
      : t('admin.devices', { count: account.sign_ins }),
    account.seen_at === null ? null : t('admin.seen', { time: when(account.seen_at) }),
  ].filter((fact) => fact !== null);
  return (
    <li className={classes.row}>
      <Avatar name={name} person={account.id} color={null} size={32} />
      <span className={classes.text}>
        <Text span fw={600} truncate c={account.state === 'active' ? undefined : 'dimmed'}>
          {own ? t('presence.you', { name }) : name}
        </Text>
        <Text span fz={12} c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {facts.join(' · ')}
        </Text>
      </span>
      {account.admin && <Text span>{t('admin.role_admin')}</Text>}
      <AccountMenu account={account} />
    </li>
  );
}
