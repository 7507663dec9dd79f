import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { http } from '../config/services.ts'
import { connectionsOf, noConnections } from './connections.ts'

const connections = { rates: http({ url: 'https://rates.internal' }) }
const connection = connectionsOf({ name: 'local', from: 'a file', directory: '/', connections })

describe('connections of an environment', () => {
  it('are found by name and kind, else it is said what there is', async () => {
    assert.equal((await connection('http', 'rates')).url, 'https://rates.internal')
    await assert.rejects(connection('http', 'rate'), {
      code: 'CONFIG_INVALID',
      message: /environment local \(a file\) has no connection 'rate'; did you mean 'rates'/,
    })
    await assert.rejects(connection('postgres', 'rates'), /is http\(\), and postgres\(\) is needed/)
    await assert.rejects(noConnections('postgres', 'crm'), /has no connection 'crm'; it has none/)
  })
})
