/** Who the test's client is signed in as. */
export const ME = '00000000000000000000000001';
