/** What the tests of files share: a folder that is gone after the test, and reading to the end. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { type FilesOptions, files } from './files.ts'

export type Contents = Readonly<Record<string, string | Buffer>>

export function write(directory: string, contents: Contents): void {
  for (const [name, content] of Object.entries(contents)) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
}

export const lines = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, index) => `{"n":${from + index},"text":"line é ${index}"}\n`,
  )

/** Opens a source in a folder with these files; everything is gone after the test. */
export function workshop(context: TestContext, contents: Contents) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  const controller = new AbortController()
  context.after(() => {
    controller.abort()
    rmSync(directory, { recursive: true, force: true })
  })
  write(directory, contents)
  const open = (options: Partial<FilesOptions> = {}, position?: unknown) => {
    const { path = '.', ...others } = options
    const paths = typeof path === 'string' ? [path] : path
    const use = files({ ...others, path: paths.map((one) => join(directory, one)) })
    return use.open({ position, clock: systemClock, signal: controller.signal })
  }
  return { directory, open, controller }
}

export async function readAll(opening: ReturnType<ReturnType<typeof workshop>['open']>) {
  const reader = await opening
  const values: string[] = []
  const ids: string[] = []
  const unreadable: string[] = []
  let position: unknown
  for (;;) {
    const batch = await reader.read(1000)
    if (batch === undefined) break
    position = batch.position
    for (const message of messagesOf(batch.batch)) {
      values.push(message.value!.toString())
      ids.push(message.id)
    }
    unreadable.push(...batch.unreadable.map(({ reason }) => reason))
  }
  await reader.close()
  return { values, ids, unreadable, position }
}

export const refused =
  (pattern: RegExp, code = 'SOURCE_UNREADABLE') =>
  (error: unknown) => {
    assert.equal(codeOf(error), code)
    assert.match(messageOf(error), pattern)
    return true
  }
