/** Spaces of teams, and the gallery: how large they are and whose. */
import { Button, Skeleton, Text } from '@mantine/core';
import { useAllSpaces } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { ListedSpace } from '../../api/types';
import { useWords } from '../../i18n/hooks';
import { personName, spaceName } from '../../i18n/names';
import { FaultAlert } from '../../ui/FaultAlert';
import { Section } from '../Section';
import classes from '../Settings.module.css';

export function SpacesSection() {
  const { t } = useWords();
  const spaces = useAllSpaces();
  const listed = spaces.data?.pages.flatMap((page) => page.spaces);
  return (
    <Section title={t('nav.spaces')}>
      {spaces.isError && listed === undefined && <FaultAlert fault={asApiError(spaces.error)} />}
      {spaces.isPending && <Skeleton className="late" height={56} />}
      {listed !== undefined && (
        <ul className={classes.list} aria-label={t('nav.spaces')}>
          {listed.map((space) => (
            <SpaceRow key={space.id} space={space} />
          ))}
        </ul>
      )}
      {spaces.hasNextPage && (
        <Button
          variant="default"
          mt={16}
          loading={spaces.isFetchingNextPage}
          onClick={() => void spaces.fetchNextPage()}
        >
          {t('admin.more')}
        </Button>
      )}
    </Section>
  );
}

function SpaceRow({ space }: { space: ListedSpace }) {
  const { t } = useWords();
  const facts = [
    space.owner === null ? null : t('admin.space_owner', { name: personName(t, space.owner.name) }),
    space.kind === 'gallery' ? null : t('space.members_of', { count: space.members }),
    t('admin.rooms', { count: space.rooms }),
    space.archived_at === null ? null : t('space.archived_word'),
  ].filter((fact) => fact !== null);
  return (
    <li className={classes.row}>
      <span className={classes.text}>
        <Text span fw={600} truncate>
          {spaceName(t, space)}
        </Text>
        <Text span fz={12} c="dimmed">
          {facts.join(' · ')}
        </Text>
      </span>
    </li>
  );
}
