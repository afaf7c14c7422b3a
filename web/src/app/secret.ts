/**
 * Secrets that stand after `#` in a link. Read once and taken out of the address at once, so
 * that neither history, logs nor a shared screen keep them.
 */
export function takeHashSecret(): string {
  const secret = window.location.hash.replace(/^#/, '').trim();
  if (secret !== '') {
    window.history.replaceState(
      window.history.state,
      '',
      window.location.pathname + window.location.search,
    );
  }
  return secret;
}
