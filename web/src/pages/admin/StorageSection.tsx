/** What everything takes on the server's disk. */
import { useStorage } from '../../api/administration';
import { formatBytes } from '../../i18n/faults';
import { useWords } from '../../i18n/hooks';
import { Section } from '../Section';
import { Facts } from './Facts';

export function StorageSection() {
  const { t } = useWords();
  const storage = useStorage();
  return (
    <Section title={t('admin.storage')}>
      <Facts
        answer={storage}
        rows={(bytes) => [
          [t('admin.storage_log'), formatBytes(bytes.log_bytes)],
          [t('admin.storage_blobs'), formatBytes(bytes.blob_bytes)],
          [t('admin.storage_metadata'), formatBytes(bytes.metadata_bytes)],
          [t('admin.storage_quarantine'), formatBytes(bytes.quarantine_bytes)],
          [t('admin.storage_free'), formatBytes(bytes.free_bytes)],
        ]}
      />
    </Section>
  );
}
