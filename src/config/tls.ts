/** Certificates and keys as people have them, PEM or PKCS12, made ready for a connection. */
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { inspect } from 'node:util'
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { readText, secretOption, textOrSecret } from './check-options.ts'
import { Secret } from './secret.ts'

const pemStart = '-----BEGIN '

const keyOption = z
  .union([z.string(), secretOption])
  .refine(
    (value) => value instanceof Secret || !value.includes(pemStart),
    "name the key's file, or secret('NAME'), instead of writing the key here",
  )

export const tlsSchema = z
  .strictObject({
    ca: textOrSecret
      .optional()
      .describe('Whom to trust: a PEM file, or its text. Default: the public authorities.'),
    certificate: textOrSecret
      .optional()
      .describe("The client's certificate: PEM file, or its text."),
    key: keyOption.optional().describe("The client's key: a PEM file, or a secret with its text."),
    pkcs12: z.string().optional().describe("A file with the client's certificate and key."),
    passphrase: secretOption.optional().describe('What opens the key or the PKCS12 file.'),
    serverName: z
      .string()
      .optional()
      .describe('The name that must be in the server certificate, where it is not the host name.'),
  })
  .refine((tls) => (tls.certificate === undefined) === (tls.key === undefined), {
    error: "'certificate' and 'key' go together",
  })
  .refine((tls) => tls.pkcs12 === undefined || tls.key === undefined, {
    error: "give 'pkcs12', or 'certificate' and 'key', not both",
  })

export type TlsOptions = z.input<typeof tlsSchema>

/** As node:tls takes it. Printed, it says only which parts there are. */
export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly pfx?: Buffer
  readonly passphrase?: string
  readonly servername?: string
  readonly rejectUnauthorized: true
}

/** Reads what the options name; paths are relative to `directory`. Throws `CONFIG_INVALID`. */
export async function readTls(
  where: string,
  options: TlsOptions,
  directory: string,
): Promise<TlsMaterial> {
  const { ca, certificate, key, pkcs12, passphrase, serverName } = options
  const pem = (name: string, value: string | Secret) =>
    readPem(`${where}, option '${name}'`, value, directory)
  const material: TlsMaterial = {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: await pem('ca', ca) }),
    ...(certificate === undefined ? {} : { cert: await pem('certificate', certificate) }),
    ...(key === undefined ? {} : { key: await pem('key', key) }),
    ...(pkcs12 === undefined
      ? {}
      : { pfx: await read(`${where}, option 'pkcs12'`, pkcs12, directory) }),
    ...(passphrase === undefined ? {} : { passphrase: await passphrase.read() }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
  return redacted(material)
}

async function readPem(where: string, value: string | Secret, directory: string): Promise<string> {
  const given = await readText(value)
  // A secret may also name the file that was mounted.
  const text = given.includes(pemStart) ? given : (await read(where, given, directory)).toString()
  if (!text.includes(pemStart)) throw fail('CONFIG_INVALID', `${where}: it is not PEM`)
  return text
}

async function read(where: string, file: string, directory: string): Promise<Buffer> {
  try {
    return await readFile(isAbsolute(file) ? file : join(directory, file))
  } catch (error) {
    const { code } = error as { code?: string }
    // A secret's text that is no PEM is taken for a path: it must not be printed.
    throw fail('CONFIG_INVALID', `${where}: it names no file that can be read (${code})`)
  }
}

/** The same object, which prints without what it holds. Copies of it print everything. */
export function redacted<Held extends object>(held: Held): Held {
  const shown = () => Object.fromEntries(Object.keys(held).map((name) => [name, '(not shown)']))
  Object.defineProperty(held, 'toJSON', { value: shown, enumerable: false })
  Object.defineProperty(held, inspect.custom, { value: shown, enumerable: false })
  return held
}
