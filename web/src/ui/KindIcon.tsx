import {
  IconArchive,
  IconBuildingStore,
  IconFileText,
  IconToolsKitchen2,
  IconUser,
  IconUsers,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Kind, Space, SpaceKind } from '../api/types';
import { useWords } from '../i18n/hooks';

const ICONS: Record<Kind, TablerIcon> = { doc: IconFileText, order: IconToolsKitchen2 };

/** In the order in which they are offered. */
export const KINDS: Kind[] = ['doc', 'order'];

/** `named`: read out; otherwise the text beside it says what it is. */
export function KindIcon({ kind, size = 18, named = false }: { kind: Kind; size?: number; named?: boolean }) {
  const { t } = useWords();
  const Icon = ICONS[kind];
  return (
    <Icon
      size={size}
      stroke={1.5}
      style={{ flex: 'none' }}
      {...(named ? { role: 'img', 'aria-label': t(`kind.${kind}`) } : { 'aria-hidden': true })}
    />
  );
}

const SPACES: Record<SpaceKind, TablerIcon> = {
  personal: IconUser,
  team: IconUsers,
  gallery: IconBuildingStore,
};

/** Decoration beside a space's name. */
export function SpaceIcon({ space, size = 18 }: { space: Pick<Space, 'kind' | 'archived_at'>; size?: number }) {
  const Icon = space.archived_at === null ? SPACES[space.kind] : IconArchive;
  return <Icon size={size} stroke={1.5} style={{ flex: 'none' }} aria-hidden={true} />;
}
