/** The store in S3, against a real server of the protocol, and against ones that misbehave. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { codeOf, type ErrorCode } from '../core/errors.ts'
import { artefactStoreContract } from './store.contract.ts'
import { sha256 } from './store.ts'
import { openS3Store } from './store-s3.ts'

const script = fileURLToPath(new URL('../../../shared/services/s3.sh', import.meta.url))
const name = `registry-${process.pid}`
const bucket = 'models'
const bytes = Buffer.from('some bytes')

if (existsSync(script)) againstTheServer()
else {
  it('the store in S3 against a real server', (t) => {
    const message = `SKIPPED: ${script} is not there, so the store in S3 was NOT checked`
    console.error(message)
    t.diagnostic(message)
    assert.ok(process.env.CI !== 'true', message)
  })
}

function againstTheServer(): void {
  let client: S3Client
  before(async () => {
    for (const line of execFileSync(script, ['start', '--name', name], { encoding: 'utf8' }).split(
      '\n',
    )) {
      const [, variable, value] = /^export (\w+)=(.*)$/.exec(line) ?? []
      if (variable !== undefined) process.env[variable] = value
    }
    client = new S3Client({ forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  })
  after(() => {
    client?.destroy()
    spawnSync(script, ['stop', '--name', name])
  })

  artefactStoreContract('store-s3', async () => {
    const prefix = `deep/${randomUUID()}`
    const place = { Bucket: bucket }
    return {
      open: () => openS3Store(`s3://${bucket}/${prefix}`),
      async plant(key, body) {
        const Key = `${prefix}/${key}`
        await client.send(new PutObjectCommand({ ...place, Key, Body: Buffer.from(body) }))
      },
      async remove() {
        const listing = await client.send(
          new ListObjectsV2Command({ ...place, Prefix: `${prefix}/` }),
        )
        for (const { Key } of listing.Contents ?? []) {
          await client.send(new DeleteObjectCommand({ ...place, Key: Key! }))
        }
      },
    }
  })

  describe('registry: a store in S3', () => {
    it('lists more than a page holds', async () => {
      const store = openS3Store(`s3://${bucket}/pages`)
      const hashes = Array.from({ length: 1003 }, (_, at) => sha256(Buffer.from(String(at))))
      for (let at = 0; at < hashes.length; at += 50) {
        const keys = hashes.slice(at, at + 50).map((hash) => `pages/${hash}.model`)
        await Promise.all(
          keys.map((Key) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))),
        )
      }
      assert.deepEqual(await store.list(), hashes.sort())
      await store.close()
    })

    it('keeps artefacts at the root of a bucket too', async () => {
      const store = openS3Store(`s3://${bucket}`)
      const hash = await store.put(bytes)
      assert.deepEqual(await store.list(), [hash])
      await store.delete(hash)
      await store.close()
    })

    it('says which bucket is not there', async () => {
      const error = await failing('STORE_UNUSABLE', `s3://no-such-${name}`)
      assert.match(error.message, /s3:\/\/no-such-/)
    })

    it('says that credentials are wrong, and never what they are', async () => {
      const secret = process.env.AWS_SECRET_ACCESS_KEY
      process.env.AWS_SECRET_ACCESS_KEY = 'wrong-secret-0123456789'
      try {
        const error = await failing('STORE_UNUSABLE', `s3://${bucket}`)
        assert.ok(!inspect(error, { depth: 20 }).includes('wrong-secret'), inspect(error))
      } finally {
        process.env.AWS_SECRET_ACCESS_KEY = secret
      }
    })
  })
}

describe('registry: a store in S3 that misbehaves', () => {
  const answering = async (
    answer: Parameters<typeof createServer>[1],
    work: (requests: () => number) => Promise<void>,
  ) => {
    let requests = 0
    const server: Server = createServer((request, response) => {
      requests++
      answer!(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const before = { ...process.env }
    const { port } = server.address() as AddressInfo
    process.env.AWS_ENDPOINT_URL_S3 = `http://user:hidden-password@127.0.0.1:${port}`
    process.env.AWS_ACCESS_KEY_ID = 'AKIAEXAMPLE'
    process.env.AWS_SECRET_ACCESS_KEY = 'hidden-secret'
    try {
      await work(() => requests)
    } finally {
      for (const key of Object.keys(process.env))
        if (key.startsWith('AWS_')) delete process.env[key]
      Object.assign(process.env, before)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  it('is asked a few times, not for ever, while it only answers 503', () =>
    answering(
      (_, response) => response.writeHead(503).end(),
      async (requests) => {
        const error = await failing('STORE_UNREACHABLE', `s3://${bucket}`)
        assert.ok(!/hidden/.test(inspect(error, { depth: 20 })))
        assert.ok(requests() > 3 && requests() <= 9, String(requests()))
      },
    ))

  it('never gives half an artefact where the answer breaks off', () =>
    answering(
      (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 4), () => response.destroy())
      },
      async (requests) => {
        const store = openS3Store(`s3://${bucket}`)
        await assert.rejects(
          store.get(sha256(bytes)),
          (error) => codeOf(error) === 'STORE_UNREACHABLE',
        )
        assert.ok(requests() > 1 && requests() <= 9, String(requests()))
        await store.close()
      },
    ))

  it('refuses an echo of secrets in what the server says', () =>
    answering(
      (_, response) =>
        response
          .writeHead(403, { 'content-type': 'application/xml' })
          .end('<Error><Code>Odd</Code><Message>hidden-secret AKIAEXAMPLE</Message></Error>'),
      async () => {
        const error = await failing('STORE_UNUSABLE', `s3://${bucket}`)
        assert.match(error.message, /Odd, 403/)
        assert.ok(!/hidden|AKIA/.test(inspect(error, { depth: 20 })), inspect(error))
      },
    ))

  it('says that nobody is there', async () => {
    const before = process.env.AWS_ENDPOINT_URL_S3
    const key = process.env.AWS_ACCESS_KEY_ID
    const secret = process.env.AWS_SECRET_ACCESS_KEY
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'y',
    })
    await failing('STORE_UNREACHABLE', `s3://${bucket}`)
    for (const [variable, value] of [
      ['AWS_ENDPOINT_URL_S3', before],
      ['AWS_ACCESS_KEY_ID', key],
      ['AWS_SECRET_ACCESS_KEY', secret],
    ] as const) {
      if (value === undefined) delete process.env[variable]
      else process.env[variable] = value
    }
  })
})

/** Every call to the store fails with that code; returns the last error. */
async function failing(code: ErrorCode, location: string): Promise<Error> {
  const store = openS3Store(location)
  const calls = [() => store.put(bytes), () => store.list(), () => store.get(sha256(bytes))]
  let last: unknown
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      last = error
      assert.equal(codeOf(error), code, String(error))
      return true
    })
  }
  await store.close()
  return last as Error
}
