import { Button, Divider, Group, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { NAME_CHARS_MAX } from '../api/limits';
import { useSpace, useSpaceActs } from '../api/spaces';
import type { Space } from '../api/types';
import { useWords } from '../i18n/hooks';
import { isImeKey } from './ime';
import { StorageOfSpace } from './StorageBar';
import { toast } from './toast';

/** Name, storage, rules and archive of a team space. Changes apply at once. */
export function SpaceSettings({ space }: { space: Space }) {
  const { t } = useWords();
  const acts = useSpaceActs();
  const { storage_used: used = null, quota = null } = useSpace(space.id).data ?? {};
  const archived = space.archived_at !== null;
  const archive = async (wanted: boolean) => {
    const done = await acts.changeSpace(space.id, { archived: wanted });
    if (done && wanted) {
      toast({
        message: t('space.archive_done'),
        undo: () => void acts.changeSpace(space.id, { archived: false }),
      });
    }
  };
  return (
    <Stack gap={16}>
      <SpaceName space={space} />
      {used !== null && (
        <>
          <Divider />
          <div>
            <Text fw={600}>{t('storage.title')}</Text>
            <StorageOfSpace used={used} quota={quota} />
          </div>
        </>
      )}
      <Divider />
      <Switch
        label={t('space.rule_links')}
        description={t('space.rule_links_hint')}
        checked={space.rules.links}
        onChange={(event) =>
          void acts.changeSpace(space.id, { rules: { links: event.currentTarget.checked } })
        }
      />
      <Switch
        label={t('space.rule_public_links')}
        description={t('space.rule_public_links_hint')}
        checked={space.rules.links && space.rules.public_links}
        disabled={!space.rules.links}
        onChange={(event) =>
          void acts.changeSpace(space.id, { rules: { public_links: event.currentTarget.checked } })
        }
      />
      <Switch
        label={t('space.rule_outsiders')}
        description={t('space.rule_outsiders_hint')}
        checked={space.rules.outsiders}
        onChange={(event) =>
          void acts.changeSpace(space.id, { rules: { outsiders: event.currentTarget.checked } })
        }
      />
      {space.role === 'owner' && (
        <>
          <Divider />
          <Group justify="space-between" gap={16}>
            <Text c="dimmed" style={{ flex: '1 1 240px' }}>
              {archived ? t('space.archived') : t('space.archive_hint')}
            </Text>
            <Button variant="default" onClick={() => void archive(!archived)}>
              {archived ? t('space.unarchive') : t('space.archive')}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

function SpaceName({ space }: { space: Space }) {
  const { t } = useWords();
  const acts = useSpaceActs();
  const [name, setName] = useState(space.name);
  const [busy, setBusy] = useState(false);
  const wanted = name.trim();
  const rename = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || wanted === '' || wanted === space.name) return;
    setBusy(true);
    await acts.changeSpace(space.id, { name: wanted });
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void rename(event)}>
      <Group align="flex-end" gap={8} wrap="nowrap">
        <TextInput
          style={{ flex: 1 }}
          label={t('space.name')}
          value={name}
          maxLength={NAME_CHARS_MAX}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
        />
        <Button type="submit" variant="default" loading={busy} disabled={wanted === '' || wanted === space.name}>
          {t('action.rename')}
        </Button>
      </Group>
    </form>
  );
}
