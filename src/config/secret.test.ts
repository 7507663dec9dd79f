import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { format, inspect } from 'node:util'
import { secret } from './secret.ts'

const nothing = { variables: {} }

describe('secret', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-secret-'))
    writeFileSync(join(directory, 'kafka_password'), 'mounted\n')
    writeFileSync(join(directory, 'other'), 'from a file\r\n')
    writeFileSync(join(directory, 'empty'), '\n')
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  it('is looked for in the variable, the file that one names, and among mounted files', async () => {
    const one = secret('KAFKA_PASSWORD')
    const file = join(directory, 'other')
    const both = { KAFKA_PASSWORD: 'said', KAFKA_PASSWORD_FILE: file }
    assert.equal(await one.read({ variables: both, mounts: directory }), 'said')
    const named = { KAFKA_PASSWORD: '', KAFKA_PASSWORD_FILE: file }
    assert.equal(await one.read({ variables: named, mounts: directory }), 'from a file')
    assert.equal(await one.read({ variables: {}, mounts: directory }), 'mounted')
    await assert.rejects(one.read({ variables: {}, mounts: '/nowhere' }), {
      code: 'SECRET_MISSING',
      message:
        "secret('KAFKA_PASSWORD'): the variables KAFKA_PASSWORD and KAFKA_PASSWORD_FILE are not set, there is no file /nowhere/KAFKA_PASSWORD",
    })
  })

  it('comes from the file or the command that was named, and from nowhere else', async () => {
    const variables = { A: 'never' }
    const file = secret('A', { file: join(directory, 'other') })
    assert.equal(await file.read({ variables }), 'from a file')
    const script = 'console.log("from a command\\nmore")'
    const command = secret('A', { command: [process.execPath, '-e', script] })
    assert.equal(await command.read({ variables }), 'from a command')
    for (const bad of [join(directory, 'missing'), join(directory, 'empty')]) {
      await assert.rejects(secret('A', { file: bad }).read({ variables }), {
        code: 'SECRET_MISSING',
      })
    }
  })

  it('says nothing of what a command printed that failed', async () => {
    const script = 'console.log("half of it"); console.error("half of it"); process.exit(3)'
    const command = secret('A', { command: [process.execPath, '-e', script] })
    const error = await command.read(nothing).then(assert.fail, (thrown: unknown) => thrown)
    assert.match(String(error), /ended with 3/)
    assert.doesNotMatch(inspect(error), /half of it/)
  })

  it('comes from AWS Secrets Manager, whole or a field of it', async () => {
    const asked: unknown[] = []
    const library = {
      SecretsManagerClient: class {
        send(command: unknown) {
          asked.push(command)
          return Promise.resolve({ SecretString: '{"password":"p"}' })
        }
        destroy() {}
      },
      GetSecretValueCommand: class {
        readonly id: string
        constructor(input: { SecretId: string }) {
          this.id = input.SecretId
        }
      },
    }
    const context = { ...nothing, loadAws: async () => library }
    const field = secret('A', { aws: { id: 'AmazonMSK_x', field: 'password' } })
    assert.equal(await field.read(context), 'p')
    assert.deepEqual({ ...(asked[0] as object) }, { id: 'AmazonMSK_x' })
    const other = secret('A', { aws: { id: 'AmazonMSK_x', field: 'pasword' } })
    await assert.rejects(other.read(context), { code: 'SECRET_MISSING' })
    const absent = { ...nothing, loadAws: () => Promise.reject(new Error('Cannot find package')) }
    await assert.rejects(field.read(absent), {
      code: 'DEPENDENCY_MISSING',
      message: /npm install @aws-sdk\/client-secrets-manager/,
    })
  })

  it('prints as its name, wherever it stands', () => {
    const one = secret('KAFKA_PASSWORD')
    const shown = "secret('KAFKA_PASSWORD')"
    assert.equal(`${one}`, shown)
    assert.equal(JSON.stringify({ one }), JSON.stringify({ one: shown }))
    assert.equal(inspect({ one }, { showHidden: true, depth: 9 }), `{ one: ${shown} }`)
    assert.equal(format('%s %o', one, one), `${shown} ${shown}`)
  })

  it('refuses what is rather a secret than a name, without printing it', () => {
    const error = (() => {
      try {
        return secret('correct horse!')
      } catch (thrown) {
        return thrown
      }
    })()
    assert.match(String(error), /give its name/)
    assert.doesNotMatch(String(error), /horse/)
  })
})
