import assignerProtocol from 'kafkajs/src/consumer/assignerProtocol.js';

/** What a member of a group tells the others, and what it is given, in bytes. */
export const { MemberMetadata, MemberAssignment } = assignerProtocol;
