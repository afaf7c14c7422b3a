/** Sharing a room or a folder: people first, links second. */
import { Divider, Stack, Text } from '@mantine/core';
import { asApiError } from '../api/client';
import { useRoomInfo } from '../api/rooms';
import { useFolderGrants, usePeople } from '../api/share';
import { useSpaces } from '../api/spaces';
import type { Folder, Grant } from '../api/types';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import { Dialog } from './Dialog';
import type { SharedRoom } from './dialogs';
import { FaultAlert } from './FaultAlert';
import { AddGrant, GrantRow, OwnerRow, SpaceRow } from './ShareGrants';
import { ShareActs } from './ShareActs';
import { ShareLink } from './ShareLink';
import { ShareLinks } from './ShareLinks';
import { ShareRequests } from './ShareRequests';
import { ShareWho, type WhoByLink } from './ShareWho';
import classes from './Share.module.css';

interface Frame {
  opened: boolean;
  onClose: () => void;
}

export function ShareDialog({ room, opened, onClose }: Frame & { room: SharedRoom }) {
  const { t } = useWords();
  const title = t('share.title', { title: shownTitle(room.title, t('doc.untitled')) });
  return (
    <Dialog title={title} size={600} opened={opened} onClose={onClose}>
      <ShareRoom room={room} />
    </Dialog>
  );
}

function ShareRoom({ room: before }: { room: SharedRoom }) {
  const { t } = useWords();
  const room = useRoomInfo(before.id).data ?? before;
  const access = usePeople(room.id);
  const space = useSpaces().data?.spaces.find(({ id }) => id === room.space?.id);
  const manage = room.right === 'manage';
  const subject = { kind: 'room', id: room.id } as const;
  const people = access.data?.people ?? [];
  return (
    <Stack gap={16}>
      {!manage && <Text c="dimmed">{t('share.cannot')}</Text>}
      <section aria-label={t('share.people')}>
        {manage && <AddGrant subject={subject} outsiders={space?.rules.outsiders ?? true} />}
        {access.isError && <FaultAlert fault={asApiError(access.error)} />}
        {manage && <ShareRequests room={room.id} />}
        <ul className={classes.people} data-testid="share-people">
          {people
            .filter(({ owner }) => owner)
            .map((person) => (
              <OwnerRow key={person.id} person={person} />
            ))}
          {room.space !== null && <SpaceRow space={room.space} known={space} />}
          {access.data?.grants.map((grant, index) => (
            <GrantRow key={index} subject={subject} space={room.space?.id} grant={grant} manage={manage} />
          ))}
        </ul>
        {access.data !== undefined && (
          <ShareWho people={people} space={room.space} link={linkOf(access.data.grants)} />
        )}
      </section>
      {manage && (
        <>
          <Divider />
          <ShareLink room={room} />
          <Divider />
          {space?.rules.links === false ? (
            <Text c="dimmed">{t('reach.not_allowed')}</Text>
          ) : (
            <ShareLinks room={room} />
          )}
          <Divider />
          <ShareActs room={room.id} />
        </>
      )}
    </Stack>
  );
}

/** What whoever has the link may do, and who that is. */
function linkOf(grants: Grant[]): WhoByLink | null {
  for (const { to, right } of grants) if ('link' in to) return { who: to.link.who, right };
  return null;
}

export function FolderShareDialog({ folder, opened, onClose }: Frame & { folder: Folder }) {
  const { t } = useWords();
  return (
    <Dialog title={t('share.title', { title: folder.name })} size={600} opened={opened} onClose={onClose}>
      <ShareFolder folder={folder} />
    </Dialog>
  );
}

function ShareFolder({ folder }: { folder: Folder }) {
  const { t } = useWords();
  const grants = useFolderGrants(folder.id);
  const space = useSpaces().data?.spaces.find(({ id }) => id === folder.space);
  const subject = { kind: 'folder', id: folder.id } as const;
  return (
    <section aria-label={t('share.people')}>
      <Text c="dimmed" mb={16}>
        {t('share.folder_hint')}
      </Text>
      <AddGrant subject={subject} outsiders={space?.rules.outsiders ?? true} />
      {grants.isError && <FaultAlert fault={asApiError(grants.error)} />}
      <ul className={classes.people} data-testid="share-people">
        {space !== undefined && <SpaceRow space={space} known={space} />}
        {grants.data?.map((grant, index) => (
          <GrantRow key={index} subject={subject} space={folder.space} grant={grant} manage />
        ))}
      </ul>
    </section>
  );
}
