/** What the tests of data files share: a folder that is gone after the test, and errors to expect. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Contents, refused, write } from '../sources/files-workshop.ts'

/** Writes files into a new folder, and says where a name in it is. */
export function folderWith(context: TestContext, contents: Contents) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-data-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  write(directory, contents)
  return (name: string) => join(directory, name)
}

export const refusedData = (pattern: RegExp) => refused(pattern, 'TRAINING_DATA_INVALID')
export const refusedOption = (pattern: RegExp) => refused(pattern, 'OPTIONS_INVALID')
