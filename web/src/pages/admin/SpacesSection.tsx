/** All spaces: how large they are, whose, what they hold, and how much they may hold. */
import { Button, Group, NativeSelect, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useAllSpaces, useQuotas } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { ListedSpace, Quotas, SpacesQuery } from '../../api/types';
import { useWords } from '../../i18n/hooks';
import { personName, spaceName } from '../../i18n/names';
import { FaultAlert } from '../../ui/FaultAlert';
import { StorageBar } from '../../ui/StorageBar';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { DefaultQuotasDialog, quotaName, SpaceQuotaDialog } from './QuotaDialog';

export function SpacesSection() {
  const { t } = useWords();
  const [wanted, setWanted] = useState<SpacesQuery>({ kind: 'team', sort: 'age' });
  const spaces = useAllSpaces(wanted);
  const quotas = useQuotas();
  const listed = spaces.data?.pages.flatMap((page) => page.spaces);
  return (
    <Section title={t('nav.spaces')}>
      <Stack gap={16} align="stretch">
        <DefaultQuotas quotas={quotas.data} />
        <div className={classes.pair}>
          <NativeSelect
            label={t('admin.spaces_kind')}
            value={wanted.kind}
            onChange={(event) => setWanted({ ...wanted, kind: event.currentTarget.value as SpacesQuery['kind'] })}
            data={[
              { value: 'team', label: t('admin.spaces_team') },
              { value: 'personal', label: t('admin.spaces_personal') },
            ]}
          />
          <NativeSelect
            label={t('admin.sort')}
            value={wanted.sort}
            onChange={(event) => setWanted({ ...wanted, sort: event.currentTarget.value as SpacesQuery['sort'] })}
            data={[
              { value: 'age', label: t('admin.sort_age') },
              { value: 'used', label: t('admin.sort_used') },
            ]}
          />
        </div>
        {spaces.isError && listed === undefined && <FaultAlert fault={asApiError(spaces.error)} />}
        {spaces.isPending && <Skeleton className="late" height={56} />}
        {listed !== undefined && (
          <ul className={classes.list} aria-label={t('nav.spaces')} aria-busy={spaces.isPlaceholderData}>
            {listed.map((space) => (
              <SpaceRow key={space.id} space={space} quotas={quotas.data} />
            ))}
          </ul>
        )}
        {spaces.hasNextPage && (
          <Button
            variant="default"
            style={{ alignSelf: 'flex-start' }}
            loading={spaces.isFetchingNextPage}
            onClick={() => void spaces.fetchNextPage()}
          >
            {t('admin.more')}
          </Button>
        )}
      </Stack>
    </Section>
  );
}

function DefaultQuotas({ quotas }: { quotas: Quotas | undefined }) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  if (quotas === undefined) return <Skeleton className="late" height={56} />;
  return (
    <Group justify="space-between" gap={16}>
      <dl className={classes.facts}>
        <dt>{t('quota.team_quota')}</dt>
        <dd>{quotaName(t, quotas.team)}</dd>
        <dt>{t('quota.personal_quota')}</dt>
        <dd>{quotaName(t, quotas.personal)}</dd>
      </dl>
      <Button variant="default" onClick={() => setOpened(true)}>
        {t('quota.defaults')}
      </Button>
      <DefaultQuotasDialog quotas={quotas} opened={opened} onClose={() => setOpened(false)} />
    </Group>
  );
}

function SpaceRow({ space, quotas }: { space: ListedSpace; quotas: Quotas | undefined }) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  const { owner } = space;
  const personal = space.kind === 'personal' && owner !== null;
  const name = personal ? personName(t, owner.name) : spaceName(t, space);
  const facts = [
    personal ? owner.username : owner === null ? null : t('admin.space_owner', { name: personName(t, owner.name) }),
    space.kind === 'team' ? t('space.members_of', { count: space.members }) : null,
    t('admin.rooms', { count: space.rooms }),
    space.archived_at === null ? null : t('space.archived_word'),
    space.quota_set === 'unlimited' ? t('quota.unlimited_word') : null,
  ].filter((fact) => fact !== null);
  return (
    <li className={classes.row} data-testid="listed-space">
      <span className={classes.text}>
        <Text span fw={600} truncate>
          {name}
        </Text>
        <Text span fz={12} c="dimmed">
          {facts.join(' · ')}
        </Text>
        <StorageBar used={space.storage_used} quota={space.quota} />
      </span>
      <Button variant="default" aria-label={t('quota.of', { name })} onClick={() => setOpened(true)}>
        {t('quota.set')}
      </Button>
      <SpaceQuotaDialog
        space={space}
        name={name}
        defaults={quotas}
        opened={opened}
        onClose={() => setOpened(false)}
      />
    </li>
  );
}
