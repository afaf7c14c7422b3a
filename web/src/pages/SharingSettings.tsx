/** What the whole workspace allows in sharing. Changes apply at once. */
import { NativeSelect, Skeleton, Stack, Switch } from '@mantine/core';
import { asApiError } from '../api/client';
import { useChangeSharing, useSharing } from '../api/audit';
import type { Sharing } from '../api/types';
import { useWords } from '../i18n/hooks';
import { FaultAlert } from '../ui/FaultAlert';
import { toastError } from '../ui/toast';

const FOUND: Sharing['people_found'][] = ['everybody', 'shared'];

export function SharingSettings() {
  const { t, fault } = useWords();
  const sharing = useSharing();
  const change = useChangeSharing();
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  if (sharing.isError) return <FaultAlert fault={asApiError(sharing.error)} />;
  if (sharing.data === undefined) return <Skeleton className="late" height={36} />;
  return (
    <Stack gap={16}>
      <Switch
        label={t('sharing.public_links')}
        description={t('sharing.public_links_hint')}
        checked={sharing.data.public_links}
        disabled={change.isPending}
        onChange={(event) => change.mutate({ public_links: event.currentTarget.checked }, { onError })}
      />
      <NativeSelect
        label={t('sharing.people_found')}
        value={sharing.data.people_found}
        disabled={change.isPending}
        onChange={(event) =>
          change.mutate({ people_found: event.currentTarget.value as Sharing['people_found'] }, { onError })
        }
        data={FOUND.map((found) => ({ value: found, label: t(`sharing.found.${found}`) }))}
      />
    </Stack>
  );
}
