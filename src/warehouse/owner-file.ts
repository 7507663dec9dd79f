/**
 * The note beside a DuckDB file that says who has it open and how to ask: only its user may read it,
 * because the token in it opens the door.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'

const schema = z.object({
  pid: z.int().positive(),
  port: z.int().min(1).max(65_535),
  token: z.string().min(32),
})

export type OwnerNote = z.infer<typeof schema>

/** A header of every answer, so that a stranger on a port used before is not taken for the owner. */
export const answerHeader = 'x-millrace-warehouse'

export function ownerPath(file: string): string {
  return `${file}.owner.json`
}

/** Undefined when there is none, or none that can be understood. */
export async function readOwner(file: string): Promise<OwnerNote | undefined> {
  try {
    const note = schema.safeParse(JSON.parse(await readFile(ownerPath(file), 'utf8')))
    return note.success ? note.data : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all: a reader never sees half of it. */
export async function writeOwner(file: string, note: OwnerNote): Promise<void> {
  const draft = `${ownerPath(file)}.${note.token.slice(0, 8)}`
  await writeFile(draft, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, ownerPath(file))
}

/** Removes the note unless another owner has written one since. */
export async function removeOwner(file: string, note: OwnerNote): Promise<void> {
  const current = await readOwner(file)
  if (current?.token === note.token) await rm(ownerPath(file), { force: true })
}
