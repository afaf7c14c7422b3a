/** Limits of the server that fields keep to by themselves, `docs/api.md`. */
export const TITLE_CHARS_MAX = 200;
/** Names of spaces and folders. */
export const NAME_CHARS_MAX = 64;
