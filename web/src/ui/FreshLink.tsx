/** An invite link that has just been made: it is shown once, to copy or to scan. */
import { Button, Text, TextInput } from '@mantine/core';
import { useWords } from '../i18n/hooks';
import { copyText } from './clipboard';
import { QrCode } from './QrCode';
import classes from './Share.module.css';
import { toast, toastError } from './toast';

/** As this browser reaches the server, whatever the server believes its address to be. */
export function inviteLink(secret: string): string {
  return `${window.location.origin}/invite#${secret}`;
}

export function FreshLink({ link }: { link: string }) {
  const { t } = useWords();
  const copy = async () => {
    if (await copyText(link)) toast({ message: t('share.copied') });
    else toastError(t('share.copy_failed'));
  };
  return (
    <div className={classes.fresh}>
      <QrCode text={link} label={t('share.link_qr')} size={132} />
      <div className={classes.freshText}>
        <Text role="status">{t('share.link_new')}</Text>
        <TextInput
          aria-label={t('share.link_field')}
          value={link}
          readOnly
          onFocus={(event) => event.currentTarget.select()}
          data-testid="invite-link"
        />
        <Button onClick={() => void copy()}>{t('share.link_copy')}</Button>
      </div>
    </div>
  );
}
