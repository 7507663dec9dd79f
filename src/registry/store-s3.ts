/**
 * Artefacts as objects under a prefix of an S3 bucket, for several machines. Endpoint, region and
 * credentials come from AWS's own environment variables and files, as its tools read them. Needs the
 * package @aws-sdk/client-s3, which is loaded at the first call.
 */
import { fail, type MillraceError, messageOf, orderOf } from '../core/errors.ts'
import {
  type ArtefactStore,
  checkedBytes,
  hashOfName,
  missingArtefact,
  nameOfHash,
  sha256,
} from './store.ts'

type Library = typeof import('@aws-sdk/client-s3')
type Client = InstanceType<Library['S3Client']>

type Body = { transformToByteArray(): Promise<Uint8Array> }

const packageName = '@aws-sdk/client-s3'
/** Each call is tried as often as this, by the library with pauses that grow. */
const maxAttempts = 3
/** How often an answer that breaks off is asked for again, which the library does not do. */
const bodyTries = 3
const connectMs = 5_000
/** A connection on which nothing moves for this long is given up. */
const silentMs = 30_000

export interface S3StoreOptions {
  /** For tests: how the library is loaded. */
  readonly load?: () => Promise<unknown>
}

/** `location` is `s3://bucket` or `s3://bucket/prefix`. Throws `OPTIONS_INVALID`. */
export function openS3Store(location: string, options: S3StoreOptions = {}): ArtefactStore {
  const { bucket, prefix } = parseLocation(location)
  const load = options.load ?? (() => import('@aws-sdk/client-s3'))
  return new S3Store(bucket, prefix, load as () => Promise<Library>)
}

class S3Store implements ArtefactStore {
  readonly where: string
  readonly #bucket: string
  /** Empty, or ends in `/`. */
  readonly #prefix: string
  readonly #load: () => Promise<Library>
  #opening: Promise<{ library: Library; client: Client }> | undefined

  constructor(bucket: string, prefix: string, load: () => Promise<Library>) {
    this.where = `s3://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`
    this.#bucket = bucket
    this.#prefix = prefix
    this.#load = load
  }

  async put(bytes: Uint8Array): Promise<string> {
    // A copy, or who changes the bytes meanwhile would change what is sent.
    const kept = Buffer.from(bytes)
    const hash = sha256(kept)
    const object = this.#object(hash)
    // Always sent: it is the same bytes, and repairs what was damaged there.
    await this.#call(({ PutObjectCommand }, client) =>
      client.send(
        new PutObjectCommand({
          ...object,
          Body: kept,
          ContentLength: kept.length,
          ContentType: 'application/octet-stream',
        }),
      ),
    )
    return hash
  }

  async get(hash: string): Promise<Buffer> {
    const object = this.#object(hash)
    const where = `s3://${object.Bucket}/${object.Key}`
    let brokenOff: unknown
    for (let tries = 0; tries < bodyTries; tries++) {
      const body = await this.#body(object, where)
      const bytes = await body.transformToByteArray().catch((error: unknown) => {
        brokenOff = error
      })
      if (bytes === undefined) continue
      return checkedBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), hash, where)
    }
    throw unreachable(this.where, brokenOff)
  }

  /** The beginning of an object; its bytes may still break off. */
  async #body(object: { Bucket: string; Key: string }, where: string): Promise<Body> {
    try {
      return await this.#call(async ({ GetObjectCommand }, client) => {
        const { Body } = await client.send(new GetObjectCommand(object))
        return Body ?? { transformToByteArray: async () => new Uint8Array() }
      })
    } catch (error) {
      throw isMissing(error) ? missingArtefact(where) : error
    }
  }

  async has(hash: string): Promise<boolean> {
    const object = this.#object(hash)
    try {
      await this.#call(({ HeadObjectCommand }, client) =>
        client.send(new HeadObjectCommand(object)),
      )
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  async delete(hash: string): Promise<void> {
    const object = this.#object(hash)
    try {
      await this.#call(({ DeleteObjectCommand }, client) =>
        client.send(new DeleteObjectCommand(object)),
      )
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  async list(): Promise<string[]> {
    const place = { Bucket: this.#bucket, Prefix: this.#prefix }
    const hashes: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await this.#call(({ ListObjectsV2Command }, client) =>
        client.send(new ListObjectsV2Command({ ...place, ContinuationToken })),
      )
      for (const { Key = '' } of page.Contents ?? []) {
        const hash = hashOfName(Key.slice(this.#prefix.length))
        if (hash !== undefined) hashes.push(hash)
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
    return hashes.sort()
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    const opened = await opening?.catch(() => undefined)
    opened?.client.destroy()
  }

  #object(hash: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${nameOfHash(hash)}` }
  }

  async #call<Result>(
    work: (library: Library, client: Client) => Promise<Result>,
  ): Promise<Result> {
    this.#opening ??= this.#open()
    const opening = this.#opening
    try {
      const { library, client } = await opening
      return await work(library, client)
    } catch (error) {
      throw translated(error, this.where)
    }
  }

  async #open(): Promise<{ library: Library; client: Client }> {
    const library = await loaded(this.#load)
    const { env } = process
    const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL
    // A stand-in asks for no region, the library does.
    const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || (endpoint ? 'us-east-1' : '')
    const client = new library.S3Client({
      maxAttempts,
      requestHandler: {
        connectionTimeout: connectMs,
        requestTimeout: silentMs,
        socketTimeout: silentMs,
        throwOnRequestTimeout: true,
      },
      // Our own hash is checked anyway, and not every server of this protocol knows the newer ones.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(region ? { region } : {}),
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    })
    return { library, client }
  }
}

async function loaded(load: () => Promise<Library>): Promise<Library> {
  try {
    return await load()
  } catch (error) {
    const isMissingPackage =
      (error as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND' &&
      messageOf(error).includes(packageName)
    if (!isMissingPackage) throw error
    throw fail(
      'DEPENDENCY_MISSING',
      `model store in S3: it needs ${packageName}; run 'npm install ${packageName}'`,
    )
  }
}

/** Throws `OPTIONS_INVALID`, whose message does not repeat what may hold a password. */
function parseLocation(location: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)(.*)$/is.exec(location) ?? []
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const isBucket = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)
  const isPrefix =
    prefix === '' || (/^[\w!*'().@/-]+$/.test(prefix) && !/(^|\/)(\.{0,2})(\/|$)/.test(prefix))
  if (isBucket && isPrefix) return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
  const shown = location.replace(/^(s3:\/\/).*@/is, '$1...@')
  throw fail(
    'OPTIONS_INVALID',
    `model store '${shown}': give s3://bucket or s3://bucket/prefix; credentials come from the AWS environment`,
  )
}

/** What the library throws, in our words; what says that an object is not there stays as it is. */
function translated(error: unknown, where: string): unknown {
  if (orderOf(error) !== undefined || isMissing(error)) return error
  if (isPassing(error)) return unreachable(where, error)
  const advice = 'check the bucket, AWS_REGION, the AWS credentials and their rights'
  return fail('STORE_UNUSABLE', `${seen(where, error)}; ${advice}`)
}

function unreachable(where: string, error: unknown): MillraceError {
  const advice = 'check the network and AWS_ENDPOINT_URL_S3 if it does not come back'
  return fail('STORE_UNREACHABLE', `${seen(where, error)}; ${advice}`, { waitMs: 1000 })
}

/** The error itself is never handed on: requests and answers with credentials hang on it. */
function seen(where: string, error: unknown): string {
  const { name = '', code = '', $metadata } = (error ?? {}) as Failure
  const which = [name === 'Error' ? code : name, $metadata?.httpStatusCode].filter(Boolean)
  const words = withoutSecrets(messageOf(error))
  return `model store ${where}: ${words}${which.length > 0 ? ` (${which.join(', ')})` : ''}`
}

interface Failure {
  readonly name?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

function isMissing(error: unknown): boolean {
  const { name = '', $metadata } = (error ?? {}) as Failure
  // An answer to HEAD has no body that could say why.
  return name === 'NoSuchKey' || (name === 'NotFound' && $metadata?.httpStatusCode === 404)
}

/** Whether the same call may succeed later: nothing answered, or the server asked for patience. */
function isPassing(error: unknown): boolean {
  const { name = '', code = '', $metadata } = (error ?? {}) as Failure
  const status = $metadata?.httpStatusCode ?? 0
  if (status === 429 || status >= 500) return true
  if (status >= 300) return false
  return /^E[A-Z]+$/.test(code) || /Timeout|Abort|SlowDown/.test(name)
}

function withoutSecrets(text: string): string {
  const names = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ACCESS_KEY_ID']
  return names.reduce(
    (rest, name) => {
      const secret = process.env[name] ?? ''
      return secret.length < 4 ? rest : rest.replaceAll(secret, '...')
    },
    text.replaceAll(/\/\/[^/\s@]*@/g, '//...@'),
  )
}
