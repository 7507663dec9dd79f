/** A passphrase from where it is not seen: a file, the environment, or the terminal without an echo. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { fail, messageOf } from '../core/errors.ts'

export interface PassphraseSource {
  /** What it opens, for the question. */
  readonly what: string
  readonly variable: string
  readonly file?: string | undefined
  /** It is a new one: asked for twice. */
  readonly isNew: boolean
}

const leastLength = 8

/** Never from arguments: everybody on the machine can read those. Throws `OPTIONS_INVALID`. */
export async function readPassphrase(source: PassphraseSource): Promise<string> {
  const { what, variable, file, isNew } = source
  const found = file === undefined ? process.env[variable] : fromFile(file)
  const passphrase = found ?? (await fromTerminal(source))
  if (isNew && passphrase.length < leastLength) {
    throw fail('OPTIONS_INVALID', `passphrase of ${what}: at least ${leastLength} characters`)
  }
  return passphrase
}

function fromFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw fail('OPTIONS_INVALID', `--passphrase-file ${file}: ${messageOf(cause)}`, { cause })
  }
}

async function fromTerminal({ what, variable, isNew }: PassphraseSource): Promise<string> {
  if (!process.stdin.isTTY) {
    const ways = `set ${variable}, or name a file with --passphrase-file`
    throw fail('OPTIONS_INVALID', `passphrase of ${what}: there is no terminal to ask at; ${ways}`)
  }
  const first = await ask(`passphrase of ${what}: `)
  if (isNew && (await ask('the same again: ')) !== first) {
    throw fail('OPTIONS_INVALID', `passphrase of ${what}: the second is another one`)
  }
  return first
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await reader.question('')
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
