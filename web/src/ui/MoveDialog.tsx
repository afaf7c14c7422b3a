/** Moves a room or a folder: what dragging does, for the keyboard and for phones. */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { mayMakeIn, useContents, useSpaceActs, useSpaces, type Movable } from '../api/spaces';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import { Dialog } from './Dialog';
import { canMove, dropFolder, dropSpace, type DropTarget } from './tree/drag';
import { NodeIcon } from './tree/NodeIcon';
import { keyOf, spaceRows, type Row } from './tree/rows';
import { Tree } from './tree/Tree';
import classes from './tree/Tree.module.css';

interface Props {
  what: Movable;
  opened: boolean;
  onClose: () => void;
}

export function MoveDialog({ what, opened, onClose }: Props) {
  const { t } = useWords();
  return (
    <Dialog title={t('move.title', { name: what.name })} size={440} opened={opened} onClose={onClose}>
      <ChoosePlace what={what} onClose={onClose} />
    </Dialog>
  );
}

function ChoosePlace({ what, onClose }: Omit<Props, 'opened'>) {
  const { t } = useWords();
  const acts = useSpaceActs();
  const spaces = (useSpaces().data?.spaces ?? []).filter(mayMakeIn);
  const contents = useContents(spaces.map(({ id }) => id));
  const [chosen, setChosen] = useState<string | null>(null);
  const [closed, setClosed] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);

  const target = ({ node, name }: Row): DropTarget | null => {
    if (node.kind === 'space') return dropSpace(node.space, name);
    if (node.kind !== 'folder') return null;
    return dropFolder(node.folder, contents.get(node.space.id)?.folders ?? []);
  };
  const rows = spaceRows({
    spaces,
    contents,
    isOpen: (key) => !closed.includes(key),
    names: { space: (space) => spaceName(t, space), room: ({ title }) => title },
    rooms: false,
  }).filter((row) => {
    const place = target(row);
    return place !== null && !(what.kind === 'folder' && place.path.includes(what.id));
  });
  const present = presentKey(what);
  const now = rows.find(({ key }) => key === present);
  const row = rows.find(({ key }) => key === chosen);
  const place = row === undefined ? null : target(row);
  const fits = place !== null && canMove(what, place);
  const goesTo = fits ? spaces.find(({ id }) => id === place.place.space) : undefined;
  const hint =
    goesTo !== undefined && goesTo.id !== what.at?.space
      ? t(`move.to_${goesTo.kind}`, { name: goesTo.name })
      : now !== undefined && t('move.now', { name: now.name });

  const move = async () => {
    if (!fits) return;
    setBusy(true);
    const done = await acts.move(what, place.place, place.name);
    setBusy(false);
    if (done) onClose();
  };
  return (
    <>
      <div className={classes.choices}>
        <Tree
          label={t('move.to')}
          rows={rows}
          selected={chosen ?? present}
          onToggle={(keys, open) =>
            setClosed(open ? closed.filter((key) => !keys.includes(key)) : [...closed, ...keys])
          }
          onActivate={({ key }) => setChosen(key)}
          describe={({ key }) => (key === present ? t('move.present') : '')}
          face={(one) => (
            <span className={classes.face}>
              {one.node.kind !== 'starred' && <NodeIcon node={one.node} open={one.open === true} />}
              <span className={classes.title}>{one.name}</span>
            </span>
          )}
        />
      </div>
      <Text fz={12} c="dimmed" mt={16} role="status">
        {hint}
      </Text>
      <Group justify="flex-end" mt={16} gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button disabled={!fits} loading={busy} onClick={() => void move()}>
          {t('move.here')}
        </Button>
      </Group>
    </>
  );
}

function presentKey({ at }: Movable): string | null {
  if (at === null) return null;
  return at.folder === null ? keyOf.space(at.space) : keyOf.folder(at.folder);
}
