/** What was given for a room or a folder, row by row, and giving more. */
import {
  ActionIcon,
  Anchor,
  Button,
  NativeSelect,
  Text,
  Tooltip,
} from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useState, type FormEvent, type ReactNode } from 'react';
import { asApiError, type Granted } from '../api/client';
import { daysInSeconds, SHARE_DAYS, useGrantActs } from '../api/share';
import { useSpace } from '../api/spaces';
import type { Grant, Grantee, GrantRight, GrantTo, Person, RoomInfo, Space } from '../api/types';
import { useMe } from '../app/session';
import type { FaultLike } from '../i18n/faults';
import { rightName } from '../i18n/faults';
import { useWhen, useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import { Avatar } from './Avatar';
import { useDialogs } from './dialogs';
import { FaultAlert } from './FaultAlert';
import { asGrantee, GranteeField, NOBODY } from './GranteeField';
import { SpaceIcon } from './KindIcon';
import { RightSelect } from './RightSelect';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

const granteeName = (to: Grantee): string => ('person' in to ? to.person.name : to.space.name);

const asWished = (to: Grantee): GrantTo =>
  'person' in to ? { username: to.person.username } : { space: to.space.id };

/** Adds a person, or a team whose name was picked. */
export function AddGrant({ subject, outsiders }: { subject: Granted; outsiders: boolean }) {
  const { t } = useWords();
  const { grant } = useGrantActs(subject);
  const [whom, setWhom] = useState(NOBODY);
  const [right, setRight] = useState<GrantRight>('edit');
  const [days, setDays] = useState<number | null>(null);
  const [fault, setFault] = useState<FaultLike | null>(null);
  const missing = fault?.code === 'not_found';

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (whom.text.trim() === '' || grant.isPending) return;
    setFault(null);
    grant.mutate(
      { to: asGrantee(whom), right, seconds: daysInSeconds(days) },
      {
        onSuccess: ({ to }) => {
          setWhom(NOBODY);
          if ('link' in to) return;
          toast({ message: t('share.added', { name: granteeName(to) }) });
        },
        onError: (error) => setFault(asApiError(error)),
      },
    );
  };

  return (
    <form onSubmit={add}>
      <div className={classes.add}>
        <GranteeField
          whom={whom}
          error={missing ? t('share.no_person') : undefined}
          onChange={(wanted) => {
            setWhom(wanted);
            setFault(null);
          }}
        />
        <RightSelect aria-label={t('share.right')} value={right} onChange={setRight} />
        <NativeSelect
          aria-label={t('share.until')}
          value={days ?? ''}
          onChange={(event) => setDays(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
          data={[
            { value: '', label: t('share.no_end') },
            ...SHARE_DAYS.map((count) => ({ value: String(count), label: t('share.days', { count }) })),
          ]}
        />
        <Button type="submit" loading={grant.isPending}>
          {t('action.add')}
        </Button>
      </div>
      <FaultAlert fault={missing ? null : fault} />
      {!outsiders && (
        <Text fz={12} c="dimmed" mb={8}>
          {t('share.members_only')}
        </Text>
      )}
    </form>
  );
}

function Row({ face, name, hint, children }: { face: ReactNode; name: string; hint: ReactNode; children: ReactNode }) {
  return (
    <li className={classes.person}>
      {face}
      <span className={classes.name}>
        <Text span truncate>
          {name}
        </Text>
        <Text span fz={12} c="dimmed" truncate>
          {hint}
        </Text>
      </span>
      {children}
    </li>
  );
}

export function OwnerRow({ person }: { person: Person }) {
  const { t } = useWords();
  const own = useMe().data?.user.id === person.id;
  return (
    <Row
      face={<Avatar name={person.name} person={person.id} color={null} size={32} />}
      name={own ? t('presence.you', { name: person.name }) : person.name}
      hint={person.username}
    >
      <Text c="dimmed">{t('share.owner')}</Text>
    </Row>
  );
}

/** Whoever can open it because of the space it stands in; changed among the space's members. */
export function SpaceRow({ space, known }: { space: NonNullable<RoomInfo['space']>; known: Space | undefined }) {
  const { t } = useWords();
  const show = useDialogs();
  if (space.kind === 'personal') return null;
  const gallery = space.kind === 'gallery';
  return (
    <Row
      face={
        <span className={classes.team}>
          <SpaceIcon space={{ kind: space.kind, archived_at: null }} />
        </span>
      }
      name={spaceName(t, space)}
      hint={gallery ? t('share.via_gallery') : t('share.via_space')}
    >
      {gallery && <Text c="dimmed">{t('share.read')}</Text>}
      {!gallery && known !== undefined && known.role !== null && (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => show({ show: 'space', id: space.id, tab: 'members' })}
        >
          {t('space.members')}
        </Button>
      )}
    </Row>
  );
}

interface GrantRowProps {
  subject: Granted;
  /** Where the subject stands, if I may see it. */
  space: string | undefined;
  grant: Grant;
  manage: boolean;
}

/** A room's link is not among the people: it has a part of its own. */
export function GrantRow({ grant: { to, ...grant }, ...rest }: GrantRowProps) {
  return 'link' in to ? null : <GivenRow given={{ ...grant, to }} {...rest} />;
}

type GivenProps = Omit<GrantRowProps, 'grant'> & { given: Grant & { to: Grantee } };

function GivenRow({ subject, space, given, manage }: GivenProps) {
  const { t, fault, full } = useWords();
  const when = useWhen();
  const { grant, revoke } = useGrantActs(subject);
  const name = granteeName(given.to);
  const inherited = given.folder !== null && given.folder.id !== subject.id;
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const secondsLeft = () =>
    given.expires_at === null ? null : Math.max(1, Math.round((given.expires_at - Date.now()) / 1000));
  const give = (right: GrantRight, onSuccess?: () => void) =>
    grant.mutate(
      { to: asWished(given.to), right, seconds: secondsLeft() },
      { onError, ...(onSuccess && { onSuccess }) },
    );
  const change = (right: GrantRight) =>
    give(right, () =>
      toast({
        message: t('share.changed', { name, right: rightName(t, right) }),
        undo: () => give(given.right),
      }),
    );
  const remove = () =>
    revoke.mutate(given.to, {
      onError,
      onSuccess: () => toast({ message: t('share.taken', { name }), undo: () => give(given.right) }),
    });
  const until = given.expires_at !== null && (
    <span title={full(given.expires_at)}>{t('share.link_expires', { time: when(given.expires_at) })}</span>
  );
  const whom = 'person' in given.to ? given.to.person.username : t('space.space');

  return (
    <Row
      face={
        'person' in given.to ? (
          <Avatar name={name} person={given.to.person.id} color={null} size={32} />
        ) : (
          <span className={classes.team}>
            <SpaceIcon space={{ kind: 'team', archived_at: null }} />
          </span>
        )
      }
      name={name}
      hint={
        <>
          {inherited && given.folder !== null ? <FromFolder space={space} folder={given.folder} /> : whom}
          {until && <> · {until}</>}
        </>
      }
    >
      {inherited || !manage ? (
        <Text c="dimmed">{rightName(t, given.right)}</Text>
      ) : (
        <>
          <RightSelect
            aria-label={t('share.right_of', { name })}
            value={grant.isPending ? grant.variables.right : given.right}
            onChange={change}
          />
          <Tooltip label={t('share.remove')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={32}
              aria-label={t('share.remove_name', { name })}
              loading={revoke.isPending}
              onClick={remove}
            >
              <IconX size={18} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        </>
      )}
    </Row>
  );
}

/** Says that it comes from a folder, and leads to where it is changed. */
function FromFolder({ space, folder }: { space: string | undefined; folder: { id: string; name: string } }) {
  const { t } = useWords();
  const show = useDialogs();
  const seen = useSpace(space ?? '', space !== undefined).data?.folders.find(({ id }) => id === folder.id);
  const words = t('share.via_folder', { name: folder.name });
  if (seen?.right !== 'manage') return words;
  return (
    <Anchor component="button" type="button" fz={12} onClick={() => show({ show: 'share_folder', folder: seen })}>
      {words}
    </Anchor>
  );
}
