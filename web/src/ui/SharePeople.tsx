import { ActionIcon, Button, Skeleton, Text, TextInput, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { usePeople, usePeopleActs } from '../api/share';
import type { GrantRight, Person } from '../api/types';
import { useMe } from '../app/session';
import type { FaultLike } from '../i18n/faults';
import { rightName } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { Avatar } from './Avatar';
import { FaultAlert } from './FaultAlert';
import { isImeKey } from './ime';
import { RightSelect } from './RightSelect';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

export function SharePeople({ room, manage }: { room: { id: string }; manage: boolean }) {
  const { t } = useWords();
  const people = usePeople(room.id, true);
  return (
    <section aria-label={t('share.people')}>
      {manage && <AddPerson roomId={room.id} />}
      {people.isError && <FaultAlert fault={asApiError(people.error)} />}
      {people.isPending && <Skeleton className="late" height={14} width="50%" my={16} />}
      {people.data !== undefined && (
        <>
          <ul className={classes.people} data-testid="share-people">
            {people.data.map((person) => (
              <PersonRow key={person.id} roomId={room.id} person={person} manage={manage} />
            ))}
          </ul>
          <Text fz={12} c="dimmed" mt={8}>
            {t('share.who', { count: people.data.length })}
          </Text>
        </>
      )}
    </section>
  );
}

function AddPerson({ roomId }: { roomId: string }) {
  const words = useWords();
  const { t } = words;
  const { grant } = usePeopleActs(roomId);
  const [username, setUsername] = useState('');
  const [right, setRight] = useState<GrantRight>('edit');
  const [fault, setFault] = useState<FaultLike | null>(null);
  const [notFound, setNotFound] = useState(false);

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (username.trim() === '' || grant.isPending) return;
    setFault(null);
    setNotFound(false);
    grant.mutate(
      { username: username.trim(), right },
      {
        onSuccess: (person) => {
          setUsername('');
          toast({ message: t('share.added', { name: person.name }) });
        },
        onError: (error) => {
          const found = asApiError(error);
          if (found.code === 'not_found') setNotFound(true);
          else setFault(found);
        },
      },
    );
  };

  return (
    <form onSubmit={add}>
      <div className={classes.add}>
        <TextInput
          className={classes.username}
          aria-label={t('share.person')}
          placeholder={t('share.person')}
          value={username}
          error={notFound ? t('share.no_person') : undefined}
          onChange={(event) => setUsername(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
        />
        <RightSelect aria-label={t('share.right')} value={right} onChange={setRight} />
        <Button type="submit" loading={grant.isPending}>
          {t('action.add')}
        </Button>
      </div>
      <FaultAlert fault={fault} />
    </form>
  );
}

function PersonRow({ roomId, person, manage }: { roomId: string; person: Person; manage: boolean }) {
  const { t, fault } = useWords();
  const me = useMe();
  const { grant, revoke } = usePeopleActs(roomId);
  const own = person.id === me.data?.user.id;
  const onError = (error: Error) => toastError(fault(asApiError(error)));
  const { username, name } = person;
  const before = person.right;

  const giveBack = () => {
    if (before !== 'manage') grant.mutate({ username, right: before }, { onError });
  };
  const change = (right: GrantRight) =>
    grant.mutate(
      { username, right },
      {
        onError,
        onSuccess: () =>
          toast({
            message: t('share.changed', { name, right: rightName(t, right) }),
            undo: giveBack,
          }),
      },
    );
  const remove = () =>
    revoke.mutate(username, {
      onError,
      onSuccess: () => toast({ message: t('share.removed', { name }), undo: giveBack }),
    });
  // The wished right is shown while it is on its way.
  const shown = grant.isPending ? grant.variables.right : before;

  return (
    <li className={classes.person}>
      <Avatar name={name} color={null} size={32} />
      <span className={classes.name}>
        <Text span truncate>
          {own ? t('presence.you', { name }) : name}
        </Text>
        <Text span fz={12} c="dimmed" truncate>
          {username}
        </Text>
      </span>
      {person.owner && <Text c="dimmed">{t('share.owner')}</Text>}
      {!person.owner && (!manage || shown === 'manage') && (
        <Text c="dimmed">{rightName(t, shown)}</Text>
      )}
      {!person.owner && manage && shown !== 'manage' && (
        <>
          <RightSelect aria-label={t('share.right_of', { name })} value={shown} onChange={change} />
          <Tooltip label={t('share.remove')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={32}
              aria-label={`${t('share.remove')}: ${name}`}
              loading={revoke.isPending}
              onClick={remove}
            >
              <IconX size={18} stroke={1.5} />
            </ActionIcon>
          </Tooltip>
        </>
      )}
    </li>
  );
}
