/** What the system and SQLite throw, as orders of Millrace. */
import { codeOf, fail, messageOf } from '../core/errors.ts'

/** How long to wait before a commit is tried again on a full disk. */
const fullWaitMs = 1000

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const busy = 5
const readOnly = 8
const failedIo = 10
const full = 13
const cannotOpen = 14
const protocol = 15
const notADatabase = 26
const corrupt = 11

function sqliteCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** Somebody else holds a lock: try again shortly. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === busy || code === protocol
}

export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ENOENT'
}

/** The declared error for what was thrown, or what was thrown when there is none. */
export function translated(error: unknown, directory: string): unknown {
  if (codeOf(error) !== undefined) return error
  const code = sqliteCode(error) ?? (error as { code?: unknown } | undefined)?.code
  const seen = messageOf(error)
  switch (code) {
    case full:
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('DISK_FULL', `${directory}: the disk is full (${seen}); make room`, {
        cause: error,
        waitMs: fullWaitMs,
      })
    case readOnly:
    case failedIo:
    case cannotOpen:
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EIO':
      return fail(
        'DIRECTORY_UNUSABLE',
        `${directory}: cannot be written (${seen}); choose another directory with MILLRACE_DIR, or correct its rights`,
        { cause: error },
      )
    case notADatabase:
    case corrupt:
      return fail(
        'DIRECTORY_FORMAT',
        `${directory}: its millrace.db is not a database of Millrace (${seen}); start over in another directory`,
        { cause: error },
      )
    default:
      return error
  }
}
