import assert from 'node:assert/strict'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { codeOf } from '../core/errors.ts'
import { modelStoreLocation, openStore } from './open-store.ts'
import { openS3Store } from './store-s3.ts'

describe('registry: where the store of artefacts is', () => {
  it('is what MILLRACE_MODEL_STORE says, else in the directory of all state', () => {
    const named = { MILLRACE_MODEL_STORE: 's3://models/here' }
    assert.equal(modelStoreLocation('/state', named), 's3://models/here')
    assert.equal(modelStoreLocation('/state', {}), join('/state', 'models'))
    assert.equal(
      modelStoreLocation('/state', { MILLRACE_MODEL_STORE: '' }),
      join('/state', 'models'),
    )
  })

  it('is chosen by its scheme', () => {
    assert.equal(openStore('s3://models').where, 's3://models')
    assert.equal(openStore('s3://models/a/b//').where, 's3://models/a/b')
    assert.equal(openStore('S3://models').where, 's3://models')
    assert.equal(openStore(tmpdir()).where, tmpdir())
    assert.equal(openStore(pathToFileURL(homedir()).href).where, homedir())
    assert.throws(() => openStore('gs://models'), { code: 'OPTIONS_INVALID' })
  })

  it('refuses what is no bucket and no prefix, and repeats no password', () => {
    const wrong = ['s3://', 's3:///x', 's3://A', 's3://b c', 's3://ab_c', 's3://models/a?b=c']
    for (const location of [...wrong, 's3://models/../x', 's3://models/a//b', 's3://models/a b']) {
      assert.throws(() => openStore(location), { code: 'OPTIONS_INVALID' }, location)
    }
    assert.throws(
      () => openStore('s3://AKIAKEY:pass@word@models/x'),
      (error) => codeOf(error) === 'OPTIONS_INVALID' && !/AKIA|pass|word/.test(inspect(error)),
    )
  })

  it('says what to install where the package for S3 is not there', async () => {
    const missing = Object.assign(
      new Error("Cannot find package '@aws-sdk/client-s3' imported from /x/store-s3.js"),
      { code: 'ERR_MODULE_NOT_FOUND' },
    )
    const store = openS3Store('s3://models', { load: () => Promise.reject(missing) })
    for (const call of [() => store.list(), () => store.put(Buffer.from('x'))]) {
      await assert.rejects(call, (error: Error) => {
        assert.match(error.message, /npm install @aws-sdk\/client-s3/)
        return codeOf(error) === 'DEPENDENCY_MISSING'
      })
    }
    await store.close()
    const broken = openS3Store('s3://models', { load: () => Promise.reject(new Error('broken')) })
    await assert.rejects(broken.list(), /broken/)
  })
})
