/** What an administrator does about somebody's account. */
import { Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core';
import { IconDevicesOff, IconKey, IconShield, IconShieldOff, IconTrash, IconUserCheck, IconUserOff } from '@tabler/icons-react';
import { useRef, useState, type FormEvent } from 'react';
import { useAccountActs } from '../../api/administration';
import { asApiError } from '../../api/client';
import type { Account } from '../../api/types';
import type { FaultLike } from '../../i18n/faults';
import { useWhen, useWords } from '../../i18n/hooks';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { FaultAlert } from '../../ui/FaultAlert';
import { FreshLink } from '../../ui/FreshLink';
import { isImeKey } from '../../ui/ime';
import { MoreButton } from '../../ui/MoreButton';
import { toast, toastError } from '../../ui/toast';

type Asking = 'none' | 'sign_out' | 'deactivate' | 'delete' | 'link';

export function AccountMenu({ account }: { account: Account }) {
  const { t, fault } = useWords();
  const { change, signOut, resetLink, remove } = useAccountActs(account);
  const [asking, setAsking] = useState<Asking>('none');
  const button = useRef<HTMLButtonElement>(null);
  const { name, admin, state } = account;
  const active = state === 'active';
  const close = () => {
    setAsking('none');
    button.current?.focus();
  };
  const onError = (error: unknown) => toastError(fault(asApiError(error)));
  const set = (wanted: { admin?: boolean; active?: boolean }, message: string, undo?: () => void) =>
    change.mutate(wanted, {
      onError,
      onSuccess: () => toast({ message, ...(undo === undefined ? {} : { undo }) }),
    });
  const setAdmin = () =>
    set({ admin: !admin }, t(admin ? 'admin.no_admin_done' : 'admin.admin_done', { name }), () =>
      change.mutate({ admin }, { onError }),
    );
  const makeLink = () =>
    resetLink.mutate(undefined, { onError, onSuccess: () => setAsking('link') });
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <MoreButton ref={button} name={name} loading={change.isPending || resetLink.isPending} />
        </Menu.Target>
        <Menu.Dropdown>
          {active && (
            <Menu.Item leftSection={<IconKey size={18} stroke={1.5} />} onClick={makeLink}>
              {t('admin.reset_link')}
            </Menu.Item>
          )}
          {active && (
            <Menu.Item
              leftSection={<IconDevicesOff size={18} stroke={1.5} />}
              onClick={() => setAsking('sign_out')}
            >
              {t('admin.sign_out')}
            </Menu.Item>
          )}
          {active && (
            <Menu.Item
              leftSection={admin ? <IconShieldOff size={18} stroke={1.5} /> : <IconShield size={18} stroke={1.5} />}
              onClick={setAdmin}
            >
              {t(admin ? 'admin.take_admin' : 'admin.make_admin')}
            </Menu.Item>
          )}
          {active ? (
            <Menu.Item
              leftSection={<IconUserOff size={18} stroke={1.5} />}
              onClick={() => setAsking('deactivate')}
            >
              {t('admin.deactivate')}
            </Menu.Item>
          ) : (
            <Menu.Item
              leftSection={<IconUserCheck size={18} stroke={1.5} />}
              onClick={() => set({ active: true }, t('admin.reactivated', { name }))}
            >
              {t('admin.reactivate')}
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item
            c="var(--weft-error)"
            leftSection={<IconTrash size={18} stroke={1.5} />}
            onClick={() => setAsking('delete')}
          >
            {t('admin.delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        opened={asking === 'sign_out'}
        question={t('admin.sign_out_question', { name })}
        yes={t('auth.sign_out')}
        onYes={() =>
          signOut.mutate(undefined, {
            onError,
            onSuccess: () => toast({ message: t('settings.ended', { name }) }),
          })
        }
        onClose={close}
      />
      <ConfirmDialog
        opened={asking === 'deactivate'}
        question={t('admin.deactivate_question', { name })}
        yes={t('admin.deactivate')}
        onYes={() => set({ active: false }, t('admin.deactivated', { name }))}
        onClose={close}
      />
      <Dialog title={t('admin.reset_link')} size={520} opened={asking === 'link'} onClose={close}>
        {resetLink.data !== undefined && <ResetLink name={name} made={resetLink.data} />}
      </Dialog>
      <Dialog
        title={t('admin.delete_title', { name })}
        size={480}
        opened={asking === 'delete'}
        onClose={close}
        closeOnClickOutside={false}
      >
        <DeleteForm account={account} remove={remove} onCancel={close} />
      </Dialog>
    </>
  );
}

/** As this browser reaches the server, whatever the server believes its address to be. */
function ResetLink({ name, made }: { name: string; made: { url: string; expires_at: number } }) {
  const { t } = useWords();
  const when = useWhen();
  const { pathname, hash } = new URL(made.url);
  return (
    <>
      <Text>{t('admin.reset_link_lead', { name, time: when(made.expires_at) })}</Text>
      <FreshLink link={`${window.location.origin}${pathname}${hash}`} />
    </>
  );
}

interface DeleteProps {
  account: Account;
  remove: ReturnType<typeof useAccountActs>['remove'];
  onCancel: () => void;
}

function DeleteForm({ account, remove, onCancel }: DeleteProps) {
  const { t } = useWords();
  const [heir, setHeir] = useState('');
  const [missing, setMissing] = useState(false);
  const [fault, setFault] = useState<FaultLike | null>(null);
  const unknown = fault?.code === 'bad_request';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (remove.isPending) return;
    if (heir.trim() === '') return setMissing(true);
    setFault(null);
    remove.mutate(heir.trim(), {
      onError: (error) => setFault(asApiError(error)),
      onSuccess: () => {
        onCancel();
        toast({ message: t('admin.deleted', { name: account.name }) });
      },
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={16}>
        <Text>{t('admin.delete_lead')}</Text>
        <TextInput
          label={t('admin.heir')}
          description={t('admin.heir_hint')}
          value={heir}
          error={missing ? t('field.required') : unknown ? t('admin.heir_unknown') : undefined}
          autoComplete="off"
          spellCheck={false}
          maxLength={32}
          data-autofocus
          onChange={(event) => {
            setHeir(event.currentTarget.value);
            setMissing(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && isImeKey(event.nativeEvent)) event.preventDefault();
          }}
        />
        <FaultAlert fault={unknown ? null : fault} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" color="red" loading={remove.isPending}>
            {t('admin.delete')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
