/** Who belongs to a team space: invite, change roles, remove, leave, hand over. */
import { Badge, Button, Group, Menu, NativeSelect, Skeleton, Text, TextInput } from '@mantine/core';
import { IconCrown, IconUserMinus } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { asApiError } from '../api/client';
import { mayGovern, useMemberActs, useMembers } from '../api/spaces';
import type { GivenRole, Member, Role, Space } from '../api/types';
import { useMe } from '../app/session';
import type { FaultLike } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { Avatar } from './Avatar';
import { ConfirmDialog } from './ConfirmDialog';
import { FaultAlert } from './FaultAlert';
import { isImeKey } from './ime';
import { MoreButton } from './MoreButton';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

/** The roles that I may give in a space. */
function givable(role: Role | null): GivenRole[] {
  if (role === 'owner') return ['admin', 'editor', 'commenter', 'viewer'];
  return role === 'admin' ? ['editor', 'commenter', 'viewer'] : [];
}

export function SpaceMembers({ space, onLeft }: { space: Space; onLeft: () => void }) {
  const { t } = useWords();
  const members = useMembers(space.id);
  const me = useMe().data?.user;
  return (
    <section aria-label={t('space.members')}>
      {mayGovern(space) && space.archived_at === null && <InviteMember space={space} />}
      {members.isError && members.data === undefined && <FaultAlert fault={asApiError(members.error)} />}
      {members.isPending && <Skeleton className="late" height={14} width="50%" my={16} />}
      {members.data !== undefined && (
        <ul className={classes.people} data-testid="members">
          {members.data.map((member) => (
            <MemberRow key={member.id} space={space} member={member} own={member.id === me?.id} />
          ))}
        </ul>
      )}
      {me !== undefined && space.role !== 'owner' && space.role !== null && (
        <Leave space={space} username={me.username} onLeft={onLeft} />
      )}
    </section>
  );
}

function RoleSelect(props: { label: string; roles: GivenRole[]; value: GivenRole; onChange: (role: GivenRole) => void }) {
  const { t } = useWords();
  return (
    <NativeSelect
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value as GivenRole)}
      data={props.roles.map((role) => ({ value: role, label: t(`role.${role}`) }))}
    />
  );
}

function InviteMember({ space }: { space: Space }) {
  const { t } = useWords();
  const { invite } = useMemberActs(space.id);
  const [username, setUsername] = useState('');
  const [role, setRole] = useState<GivenRole>('editor');
  const [fault, setFault] = useState<FaultLike | null>(null);
  const missing = fault?.code === 'not_found';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (username.trim() === '' || invite.isPending) return;
    setFault(null);
    invite.mutate(
      { username: username.trim(), role },
      {
        onSuccess: ({ name }) => {
          setUsername('');
          toast({ message: t('space.invited_done', { name }) });
        },
        onError: (error) => setFault(asApiError(error)),
      },
    );
  };
  return (
    <form onSubmit={submit}>
      <div className={classes.add}>
        <TextInput
          className={classes.username}
          aria-label={t('share.person')}
          placeholder={t('share.person')}
          value={username}
          error={missing ? t('share.no_person') : undefined}
          onChange={(event) => setUsername(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
        />
        <RoleSelect label={t('space.role')} roles={givable(space.role)} value={role} onChange={setRole} />
        <Button type="submit" loading={invite.isPending}>
          {t('space.invite')}
        </Button>
      </div>
      <FaultAlert fault={missing ? null : fault} />
    </form>
  );
}

function MemberRow({ space, member, own }: { space: Space; member: Member; own: boolean }) {
  const { t, fault } = useWords();
  const { change, remove } = useMemberActs(space.id);
  const { username, name, role, state } = member;
  const roles = givable(space.role);
  const below = roles.find((one) => one === role);
  const set = (wanted: GivenRole, before: GivenRole) =>
    change.mutate(
      { username, role: wanted },
      {
        onError: (error) => toastError(fault(asApiError(error))),
        onSuccess: () =>
          toast({
            message: t('share.changed', { name, right: t(`role.${wanted}`) }),
            undo: () => change.mutate({ username, role: before }),
          }),
      },
    );
  return (
    <li className={classes.person}>
      <Avatar name={name} person={member.id} color={null} size={32} />
      <span className={classes.name}>
        <Text span truncate>
          {own ? t('presence.you', { name }) : name}
        </Text>
        <Text span fz={12} c="dimmed" truncate>
          {username}
        </Text>
      </span>
      {state === 'invited' && (
        <Badge variant="light" color="gray" tt="none" fw={400} style={{ color: 'var(--weft-text)' }}>
          {t('space.invited')}
        </Badge>
      )}
      {below === undefined || own || space.archived_at !== null ? (
        <Text c="dimmed">{t(`role.${role}`)}</Text>
      ) : (
        <RoleSelect
          label={t('space.role_of', { name })}
          roles={roles}
          value={change.isPending ? change.variables.role : below}
          onChange={(wanted) => set(wanted, below)}
        />
      )}
      {below !== undefined && !own && (
        <MemberMenu
          space={space}
          member={member}
          onRemove={() =>
            remove.mutate(username, {
              onError: (error) => toastError(fault(asApiError(error))),
              onSuccess: () =>
                toast({ message: t(state === 'invited' ? 'space.withdrawn' : 'space.removed', { name }) }),
            })
          }
        />
      )}
    </li>
  );
}

function MemberMenu({ space, member, onRemove }: { space: Space; member: Member; onRemove: () => void }) {
  const { t, fault } = useWords();
  const { handOver } = useMemberActs(space.id);
  const [asking, setAsking] = useState<'none' | 'remove' | 'hand_over'>('none');
  const { name, username, state } = member;
  const close = () => setAsking('none');
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <MoreButton name={name} />
        </Menu.Target>
        <Menu.Dropdown>
          {space.role === 'owner' && state === 'member' && (
            <Menu.Item
              leftSection={<IconCrown size={18} stroke={1.5} />}
              onClick={() => setAsking('hand_over')}
            >
              {t('space.hand_over')}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconUserMinus size={18} stroke={1.5} />}
            onClick={() => (state === 'invited' ? onRemove() : setAsking('remove'))}
          >
            {state === 'invited' ? t('space.withdraw') : t('action.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        opened={asking === 'remove'}
        question={t('space.remove_question', { name })}
        yes={t('action.remove')}
        onYes={onRemove}
        onClose={close}
      />
      <ConfirmDialog
        opened={asking === 'hand_over'}
        question={t('space.hand_over_question', { name })}
        yes={t('space.hand_over')}
        onYes={() =>
          handOver.mutate(username, { onError: (error) => toastError(fault(asApiError(error))) })
        }
        onClose={close}
      />
    </>
  );
}

function Leave({ space, username, onLeft }: { space: Space; username: string; onLeft: () => void }) {
  const { t, fault } = useWords();
  const navigate = useNavigate();
  const { remove } = useMemberActs(space.id);
  const [asking, setAsking] = useState(false);
  const leave = () =>
    remove.mutate(username, {
      onError: (error) => toastError(fault(asApiError(error))),
      onSuccess: () => {
        onLeft();
        void navigate({ to: '/home' });
      },
    });
  return (
    <Group justify="flex-end" mt={16}>
      <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => setAsking(true)}>
        {t('space.leave')}
      </Button>
      <ConfirmDialog
        opened={asking}
        question={t('space.leave_question', { name: space.name })}
        yes={t('space.leave')}
        onYes={leave}
        onClose={() => setAsking(false)}
      />
    </Group>
  );
}
