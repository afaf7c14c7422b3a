/** What a notice says and where it leads, from its codes. */
import type { NavigateOptions } from '@tanstack/react-router';
import { useCallback } from 'react';
import { formatBytes, rightName } from '../i18n/faults';
import { useWords } from '../i18n/hooks';
import { shownTitle } from '../i18n/names';
import type { Translate } from '../i18n/time';
import type { Notice } from '../sync';

export interface NoticeWords {
  text: string;
  hint: string;
  to: NavigateOptions | null;
}

export function useNotices(): (notice: Notice) => NoticeWords {
  const { t } = useWords();
  return useCallback((notice: Notice) => wordsOf(t, notice), [t]);
}

function wordsOf(t: Translate, notice: Notice): NoticeWords {
  const { actor, object, params, count, outcome } = notice;
  const name = actor?.name ?? 'Weft';
  const title = shownTitle(object?.title ?? '', t('doc.untitled'));
  const right = rightName(t, params['right'] ?? '');
  const answered = outcome === '' ? '' : t(`inbox.outcome.${outcome}`);
  const room: NavigateOptions | null =
    object?.kind === 'room' ? { to: '/o/$id', params: { id: object.id } } : null;
  switch (notice.what) {
    case 'mention':
      return {
        text: t('inbox.mention', { name, title }),
        hint: count > 1 ? t('inbox.times', { count }) : '',
        to: room,
      };
    case 'grant':
      return {
        text: t('inbox.grant', { name, title }),
        hint: right,
        to: room ?? { to: '/home', search: { tab: 'shared' } },
      };
    case 'space.invited':
      return {
        text: t('inbox.invited', { name, title }),
        hint: answered || t('home.invited_as', { role: t(`role.${params['role'] ?? 'viewer'}`) }),
        to: outcome === 'agreed' && object !== null ? { to: '/space/$id', params: { id: object.id } } : null,
      };
    case 'space.removed':
      return { text: t('inbox.removed', { name, title }), hint: '', to: null };
    case 'webhook.off':
      return {
        // One's own space has no name.
        text:
          (object?.title ?? '') === ''
            ? t('inbox.webhook_off_own', { webhook: params['name'] ?? '' })
            : t('inbox.webhook_off', { webhook: params['name'] ?? '', title }),
        hint: t(`webhooks.because.${params['because'] ?? 'failing'}`),
        to: object === null ? null : { to: '/webhooks/$id', params: { id: object.id } },
      };
    case 'space.nearly_full':
      return {
        text: (object?.title ?? '') === '' ? t('inbox.nearly_full_own') : t('inbox.nearly_full', { title }),
        hint: t('storage.used_of', {
          used: formatBytes(Number(params['used'] ?? 0)),
          quota: formatBytes(Number(params['quota'] ?? 0)),
        }),
        to: object === null ? null : { to: '/space/$id', params: { id: object.id } },
      };
    case 'access.asked':
      return { text: t('inbox.asked', { name, title }), hint: answered, to: room };
    case 'access.allowed':
      return { text: t('inbox.allowed', { name, title }), hint: right, to: room };
    case 'access.declined':
      return { text: t('inbox.declined', { name }), hint: '', to: null };
    default:
      return { text: t('inbox.other', { name, title }), hint: '', to: room };
  }
}
