/** Codes of errors around certificates, users and rights. */
import type { ErrorDeclaration } from './error-codes.ts'

export const securityCodes = {
  CERTIFICATE_INVALID: {
    order: 'misconfigured',
    when: 'A certificate, key, request or host name cannot be used: unreadable, expired, or not what belongs there.',
    fix: 'Correct what the message names; `millrace secure inspect FILE` tells what a file holds.',
  },
  SECURE_DIRECTORY_INVALID: {
    order: 'misconfigured',
    when: 'The directory of `millrace secure` lacks a file, or already holds what would be written over.',
    fix: 'Name another directory, or restore what the message names.',
  },
} as const satisfies Record<string, ErrorDeclaration>
