/** A sentence for every act of the audit log, in the person's language. */
import type { Act } from '../api/types';
import { formatBytes, rightName } from './faults';
import { personName, shownTitle } from './names';
import type { Translate } from './time';

/** Whose words are in `audit.act.…`; a test compares them with the server's. */
export const ACTS = [
  'granted',
  'grant_taken',
  'link_set',
  'link_renewed',
  'link_off',
  'link_opened',
  'invite_made',
  'invite_revoked',
  'invite_accepted',
  'room_moved',
  'room_trashed',
  'room_restored',
  'folder_moved',
  'folder_trashed',
  'folder_restored',
  'space_made',
  'space_renamed',
  'space_archived',
  'space_unarchived',
  'rules_changed',
  'quota_changed',
  'member_invited',
  'member_joined',
  'invitation_declined',
  'role_changed',
  'member_removed',
  'member_left',
  'handed_over',
  'account_made',
  'signed_in',
  'sign_in_failed',
  'sign_in_confirmed',
  'signed_out',
  'sign_ins_ended',
  'email_changed',
  'password_changed',
  'second_factor_on',
  'second_factor_off',
  'recovery_code_used',
  'token_made',
  'token_revoked',
  'workspace_invite_made',
  'workspace_invite_revoked',
  'setting_changed',
  'account_deactivated',
  'account_reactivated',
  'account_removed',
  'admin_made',
  'admin_taken',
  'reset_link_made',
  'password_reset',
  'identity_linked',
  'identity_unlinked',
  'webhook_made',
  'webhook_changed',
  'webhook_removed',
] as const;

const FAILURES = ['code', 'deactivated'] as const;
const RULES = ['links', 'public_links', 'outsiders'];

export function actSentence(t: Translate, act: Act): string {
  const { params } = act;
  const text = (name: string): string => {
    const value = params[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const words = {
    by: actor(t, act, text('guest')),
    person: act.person === null ? text('to_space') || t('audit.somebody') : personName(t, act.person.name),
    what: subject(t, act),
    right: rightName(t, text('right')),
    role: roleName(t, text('role')),
    name: text('name'),
    provider: text('provider'),
    who: text('who') === '' ? '' : t(`reach.${text('who')}`),
    count: Number(text('count')) || 1,
    rule: RULES.includes(text('rule')) ? t(`space.rule_${text('rule')}`) : text('rule'),
    setting: setting(t, text('setting')),
    value: valueName(t, params['value']),
    quota: valueName(t, params['quota']),
    changed: text('what').split(' ').filter(Boolean).map((what) => t(`audit.webhook.${what}`)).join(t('tokens.comma')),
  };
  if (act.act === 'sign_in_failed') {
    const known = FAILURES.find((reason) => reason === text('reason'));
    return t(`audit.failed.${known ?? 'password'}`, words);
  }
  const known = ACTS.some((code) => code === act.act);
  return known ? t(`audit.act.${act.act}`, words) : t('audit.unknown', { ...words, act: act.act });
}

function actor(t: Translate, { by, address }: Act, guest: string): string {
  if (by !== null) return personName(t, by.name);
  if (guest !== '') return t('presence.guest_name', { name: guest });
  return t(address === '' ? 'audit.server' : 'audit.somebody');
}

function subject(t: Translate, { room, folder, space }: Act): string {
  if (room !== null) return t('audit.named', { name: shownTitle(room.title, t('doc.untitled')) });
  if (folder !== null) return t('audit.named', { name: folder });
  if (space !== null && space.name !== '') return t('audit.named', { name: space.name });
  return t('audit.a_space');
}

const roleName = (t: Translate, role: string): string => (role === '' ? '' : t(`role.${role}`));

function setting(t: Translate, name: string): string {
  if (name === 'registration') return t('admin.registration');
  if (name === 'team_quota' || name === 'personal_quota') return t(`quota.${name}`);
  return name === 'public_links' || name === 'people_found' ? t(`sharing.${name}`) : name;
}

function valueName(t: Translate, value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'audit.on' : 'audit.off');
  // Numbers are bytes of quotas.
  if (typeof value === 'number') return formatBytes(value);
  if (value === 'unlimited' || value === 'default') return t(`quota.${value}`);
  if (value === 'open' || value === 'invite' || value === 'closed') return t(`admin.registration.${value}`);
  return value === 'everybody' || value === 'shared' ? t(`sharing.found.${value}`) : String(value ?? '');
}
