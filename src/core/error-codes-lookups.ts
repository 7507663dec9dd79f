/** Codes of errors of look-ups in other systems; `errorCodes` has them with all others. */
import type { ErrorDeclaration } from './error-codes.ts'

export const lookupCodes = {
  LOOKUP_AWAY: {
    order: 'try-later',
    when: 'A system that is looked up in does not answer, answers too slowly, breaks off, or asks to slow down.',
    fix: 'Nothing to do if it comes back: the pipeline waits and loses nothing. Else check its address and the network.',
  },
  LOOKUP_UNUSABLE: {
    order: 'misconfigured',
    when: 'A system that is looked up in lets nobody in, is not trusted, or has no such table or column.',
    fix: 'Correct the connection, or what the look-up asks for, as the message says; nothing was skipped.',
  },
  LOOKUP_REFUSED: {
    order: 'refused',
    when: 'A system that is looked up in takes a key for wrong, or what it answers cannot be read.',
    fix: 'Look at the dead letters: the message has the cause. Correct the key, and replay them.',
  },
} as const satisfies Record<string, ErrorDeclaration>
