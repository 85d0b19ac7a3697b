/** Environment variables by which a later owner finds what an earlier one left running. */
export const ATTEMPT_TAG = 'HIPPO_ATTEMPT_ID';
/** `<cluster id>/<hippo>`: tells one hippo of one cluster from every other. */
export const OWNER_TAG = 'HIPPO_OWNER';
