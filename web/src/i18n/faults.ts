/** A sentence for every stable code of the server, in the person's language. */
import { SCOPES } from '../api/types';
import type { Translate } from './time';

export interface FaultLike {
  code: string;
  params: Readonly<Record<string, unknown>>;
}

/** Codes that share their words with a state of the interface. */
const SHARED: Readonly<Record<string, string>> = {
  not_found: 'room.not_found',
  no_access: 'room.lost_access',
  wrong_credentials: 'auth.wrong',
  link_expired: 'link.expired',
  not_spoken: 'error.update',
};

const FIELDS = new Set(['username', 'password', 'email', 'name', 'phone', 'workspace', 'title']);

export function fieldName(t: Translate, field: string): string {
  return FIELDS.has(field) ? t(`field.${field}`) : field;
}

/** What is allowed in a field, where we can say it; else null. */
export function fieldRule(t: Translate, field: string): string | null {
  switch (field) {
    case 'username':
    case 'password':
    case 'email':
    case 'name':
    case 'phone':
      return t(`field.${field}_rule`);
    case 'heir':
      return t('share.no_person');
    case 'new_password':
      return t('field.password_rule');
    default:
      return null;
  }
}

export function rightName(t: Translate, right: string): string {
  switch (right) {
    case 'read':
    case 'comment':
    case 'edit':
    case 'manage':
      return t(`share.${right}`);
    default:
      return right;
  }
}

function pictureRule(reason: unknown): string {
  return reason === 'too_large' ? 'picture.too_large' : 'picture.malformed';
}

/** What a server of mail said, which is not ours to translate. */
function whyOf(params: FaultLike['params']): string {
  return typeof params['why'] === 'string' ? params['why'] : '?';
}

function scopeName(t: Translate, scope: string): string {
  return SCOPES.some((known) => known === scope) ? t(`tokens.scope.${scope}`) : scope;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} KB`;
  if (bytes < 1024 ** 3) return `${Math.round(bytes / 1024 ** 2)} MB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

/**
 * `exists` says whether a key has words; unknown codes read as `error.generic` with the code.
 */
export function faultText(
  t: Translate,
  exists: (key: string) => boolean,
  fault: FaultLike,
  wait: (ms: number) => string,
): string {
  const { code, params } = fault;
  switch (code) {
    case 'too_many_attempts':
      return t('auth.wait', { time: wait(Number(params['retry_ms'] ?? 1000)) });
    case 'trashed': {
      const by = params['by'];
      return typeof by === 'string' && by !== ''
        ? t('room.trashed', { name: by })
        : t('room.trashed_plain');
    }
    case 'bad_request':
      if (params['field'] === 'picture') return t(pictureRule(params['reason']));
      if (params['reason'] === 'too_many') return t('fault.too_many_things');
      if (params['reason'] === 'owner') return t('fault.is_owner');
      if (params['reason'] === 'inside') return t('fault.inside');
      return t('fault.bad_request', { field: fieldName(t, String(params['field'] ?? '?')) });
    case 'no_right':
      return t('fault.no_right', { needed: rightName(t, String(params['needed'] ?? 'edit')) });
    case 'no_scope':
      return t('fault.no_scope', { needed: scopeName(t, String(params['needed'] ?? 'read')) });
    case 'mail_failed':
      return t('fault.mail_failed', { why: whyOf(params) });
    case 'order.sold_out': {
      const left = Number(params['left'] ?? 0);
      return left > 0 ? t('fault.order.sold_out_left', { count: left }) : t('fault.order.sold_out');
    }
    case 'too_large':
    case 'frame_too_large':
    case 'op_too_large':
    case 'room_full': {
      const limit = Number(params['limit']);
      return t(`fault.${code}`, { limit: Number.isFinite(limit) ? formatBytes(limit) : '?' });
    }
  }
  const key = SHARED[code] ?? `fault.${code}`;
  if (!exists(key)) return t('error.generic', { code });
  return t(key, { limit: '?', ...params });
}
