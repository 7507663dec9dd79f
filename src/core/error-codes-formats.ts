/** The codes of errors about schemas and values in a format; `errorCodes` has them with all others. */
import type { ErrorDeclaration } from './error-codes.ts'

export const formatCodes = {
  SCHEMA_REGISTRY_AWAY: {
    order: 'try-later',
    when: 'The schema registry does not answer, breaks off, answers 5xx or asks to slow down.',
    fix: 'Nothing to do if it comes back; else check its address and the network.',
  },
  SCHEMA_REGISTRY_UNUSABLE: {
    order: 'misconfigured',
    when: 'The schema registry lets nobody in, is not trusted, or is something else than a registry.',
    fix: 'Correct the address, the user and password, or the authority that the message names.',
  },
  SCHEMA_INVALID: {
    order: 'misconfigured',
    when: "A topic's declared schema cannot be read, or the registry does not take it.",
    fix: 'Correct the schema in the declaration of the topic.',
  },
  SCHEMA_INCOMPATIBLE: {
    order: 'misconfigured',
    when: "A topic's declared schema does not go with what the registry has for it.",
    fix: 'Change the declared schema as the message says (add a default, keep a field), or take another subject.',
  },
  SCHEMA_MISSING: {
    order: 'misconfigured',
    when: 'A topic is to be written with a schema that the registry does not have under its subject.',
    fix: "Register the schema as you do it, or let Millrace do it: register: true in the topic's format.",
  },
  SCHEMA_UNKNOWN: {
    order: 'refused',
    when: 'A message names a schema that the registry does not have, or that cannot be used.',
    fix: 'Find who wrote it, and with which registry; replay the dead letters once the schema is there.',
  },
  VALUE_UNREADABLE: {
    order: 'refused',
    when: "The bytes of a value do not fit its topic's format: no wire format, cut short, damaged.",
    fix: 'Correct whoever wrote it; the message says what was found.',
  },
  VALUE_UNWRITABLE: {
    order: 'refused',
    when: "A value does not fit the schema of its topic's format.",
    fix: 'Correct the value in a step before, or the schema; the message names the field.',
  },
} as const satisfies Record<string, ErrorDeclaration>
