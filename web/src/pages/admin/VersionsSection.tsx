/** What runs on the server. */
import { useVersions } from '../../api/administration';
import { useWords } from '../../i18n/hooks';
import { Section } from '../Section';
import { Facts } from './Facts';

export function VersionsSection() {
  const { t } = useWords();
  const versions = useVersions();
  return (
    <Section title={t('admin.versions')}>
      <Facts
        answer={versions}
        rows={({ weft, metadata_schema }) => [
          ['Weft', weft],
          [t('admin.schema'), String(metadata_schema)],
        ]}
      />
    </Section>
  );
}
