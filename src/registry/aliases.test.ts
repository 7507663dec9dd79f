import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { shiftedClock } from '../log/log.contract.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog, MemoryStore } from '../log/memory.ts'
import { Registry } from './registry.ts'
import { artefact, hashOf, refused, registerSome, withRegistry } from './registry-testing.ts'

describe('registry: aliases', () => {
  it('keeps every change with a rising revision, also after compaction', () =>
    withRegistry(async ({ store }) => {
      const log = createMemoryLog()
      const registry = new Registry({ log, store })
      await registerSome(registry, 'spam', 2)
      await registry.setAlias('spam', 'champion', '1', { by: 'promote', reason: 'the first' })
      await registry.setAlias('spam', 'champion', '2')
      await registry.setAlias('spam', 'old-one', '1')
      await registry.removeAlias('spam', 'old-one')
      await log.maintain()
      const { history, revision, aliases } = await registry.showModel('spam')
      assert.equal(revision, 4)
      assert.deepEqual(
        history.map((one) => [one.revision, one.alias, one.version, one.previous, one.by]),
        [
          [4, 'old-one', null, hashOf(1), 'remove'],
          [3, 'old-one', hashOf(1), null, 'set'],
          [2, 'champion', hashOf(2), hashOf(1), 'set'],
          [1, 'champion', hashOf(1), null, 'promote'],
        ],
      )
      assert.equal(history.at(-1)!.reason, 'the first')
      assert.deepEqual(aliases, [{ alias: 'champion', version: hashOf(2), number: 2, revision: 2 }])
      await refused('MODEL_UNKNOWN', registry.removeAlias('spam', 'old-one'))
      await refused('MODEL_UNKNOWN', registry.setAlias('spam', 'champion', '3'))
      await refused('MODEL_UNKNOWN', registry.setAlias('none', 'champion', '1'))
    }))

  it('changes nothing where the alias points there already', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 1)
      const first = await registry.setAlias('spam', 'champion', '1')
      assert.deepEqual(await registry.setAlias('spam', 'champion', '1'), first)
      assert.equal((await registry.showModel('spam')).revision, 1)
      await refused(
        'REGISTRY_CONFLICT',
        registry.setAlias('spam', 'champion', '1', { expectedRevision: 0 }),
      )
    }))

  it('refuses a change that was decided on an older revision, and says who won', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 2)
      const expectedRevision = (await registry.showModel('spam')).revision
      await registry.setAlias('spam', 'champion', '2', {
        ...{ expectedRevision, by: 'promote', reason: 'better on Mondays' },
      })
      for (const late of [
        registry.setAlias('spam', 'champion', '1', { expectedRevision }),
        registry.removeAlias('spam', 'champion', { expectedRevision }),
        registry.rollback('spam', 'champion', { expectedRevision }),
        registry.deleteVersion('spam', '1', { expectedRevision }),
      ]) {
        const message = await refused('REGISTRY_CONFLICT', late)
        assert.match(message, /revision 0, current is 1: 'champion' points to 2 \([0-9a-f]{12}\)/)
        assert.match(message, /promote, .*"better on Mondays"/)
      }
      assert.equal((await registry.resolve('spam')).number, 2)
      await refused('OPTIONS_INVALID', registry.rollback('spam', 'champion', { by: 'A b' }))
    }))

  it('rolls back, again further, and says where there is nothing before', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 4)
      await refused('MODEL_UNKNOWN', registry.rollback('spam'))
      for (const version of ['1', '2', '3']) await registry.setAlias('spam', 'champion', version)
      const change = await registry.rollback('spam')
      assert.deepEqual(
        [change.revision, change.version, change.previous, change.by, change.restores],
        [4, hashOf(2), hashOf(3), 'rollback', 2],
      )
      assert.equal((await registry.rollback('spam')).version, hashOf(1))
      const message = await refused('MODEL_UNKNOWN', registry.rollback('spam'))
      assert.match(message, /'champion' points to 1 .* no version before/)
      await registry.setAlias('spam', 'champion', '4')
      const [alias] = (await registry.showModel('spam')).aliases
      assert.equal(alias!.revision, 6)
      assert.equal((await registry.rollback('spam')).version, hashOf(1), 'not to what was undone')
    }))

  it('rolls back over a removal and over deleted versions', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 3)
      for (const version of ['1', '2']) await registry.setAlias('spam', 'champion', version)
      await registry.removeAlias('spam', 'champion')
      assert.equal((await registry.resolve('spam')).number, 3)
      assert.equal((await registry.rollback('spam')).version, hashOf(2), 'the removal is undone')
      await registry.setAlias('spam', 'champion', '3')
      await registry.deleteVersion('spam', '2')
      assert.equal((await registry.rollback('spam')).version, hashOf(1))
    }))

  it('does what a model of it does, whatever comes', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), version: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constantFrom('remove' as const, 'rollback' as const) }),
    )
    await withRegistry(async ({ store }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const registry = new Registry({ log: createMemoryLog(), store })
          await registerSome(registry, 'spam', 4)
          /** What the alias pointed to, the last one now; 0 is nothing. */
          let stack: number[] = []
          for (const one of steps) {
            const now = stack.at(-1) ?? 0
            if (one.kind === 'set') {
              await registry.setAlias('spam', 'x', String(one.version))
              if (one.version !== now) stack.push(one.version)
            } else if (one.kind === 'remove') {
              if (now === 0) await refused('MODEL_UNKNOWN', registry.removeAlias('spam', 'x'))
              else {
                await registry.removeAlias('spam', 'x')
                stack.push(0)
              }
            } else {
              const at = stack.findLastIndex(
                (old, index) => index < stack.length - 1 && old !== 0 && old !== now,
              )
              if (at < 0) await refused('MODEL_UNKNOWN', registry.rollback('spam', 'x'))
              else {
                await registry.rollback('spam', 'x')
                stack = stack.slice(0, at + 1)
              }
            }
            const { aliases, history } = await registry.showModel('spam')
            assert.equal(aliases[0]?.number ?? 0, stack.at(-1) ?? 0)
            assert.deepEqual(
              history.map(({ revision }) => revision),
              history.map((_, index) => history.length - index),
            )
          }
        }),
        { numRuns: 25 },
      )
    })
  })
})

describe('registry: deletion', () => {
  it('is refused while an alias points to the version, and says which', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 2)
      for (const alias of ['champion', 'shadow']) await registry.setAlias('spam', alias, '1')
      const message = await refused('MODEL_IN_USE', registry.deleteVersion('spam', '1'))
      assert.match(message, /'champion', 'shadow'/)
      assert.equal((await registry.load('spam')).version.number, 1)
    }))

  it('takes the entry and the artefact, keeps the history and the number', () =>
    withRegistry(async ({ registry, store }) => {
      await registerSome(registry, 'spam', 2)
      await registry.setAlias('spam', 'champion', '2')
      await registry.setAlias('spam', 'champion', '1')
      const deleted = await registry.deleteVersion('spam', '2', { reason: 'too large' })
      assert.equal(deleted.artefact, 'deleted')
      assert.deepEqual(await store.list(), [hashOf(1)])
      await refused('MODEL_UNKNOWN', registry.resolve('spam:2'))
      const { history } = await registry.showModel('spam')
      const { alias, version, previous, reason, by, number } = history[0]!
      assert.deepEqual(
        [alias, version, previous, reason, by, number],
        [null, null, hashOf(2), 'too large', 'delete', 2],
      )
      assert.equal((await registry.register('spam', artefact(2))).number, 3)
    }))

  it('leaves an artefact that another model has, and the model away once it has no version', () =>
    withRegistry(async ({ registry, store }) => {
      await registry.register('spam', artefact(1))
      await registry.register('other', artefact(1))
      assert.equal((await registry.deleteVersion('spam', '1')).artefact, 'shared')
      assert.deepEqual(
        (await registry.listModels()).map(({ name }) => name),
        ['other'],
      )
      await refused('MODEL_UNKNOWN', registry.showModel('spam'))
      assert.equal((await registry.load('other')).version.number, 1)
      assert.equal((await registry.deleteVersion('other', hashOf(1))).artefact, 'deleted')
      assert.deepEqual(await store.list(), [])
    }))

  it('keeps what was registered last as the newest, as long as it is there', () =>
    withRegistry(async ({ registry }) => {
      await registerSome(registry, 'spam', 3)
      await registry.register('spam', artefact(1))
      await registry.deleteVersion('spam', '1')
      assert.equal((await registry.resolve('spam')).number, 3)
    }))
})

describe('registry: fences', () => {
  /** A log that does something else first, once, when the registry commits. */
  const interrupted = (log: Log, before: () => Promise<void>): Log => {
    let isDone = false
    return new Proxy(log, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'commit') return typeof value === 'function' ? value.bind(target) : value
        return async (commit: Parameters<Log['commit']>[0]) => {
          if (!isDone) {
            isDone = true
            await before()
          }
          return target.commit(commit)
        }
      },
    })
  }

  it('refuses the write of a process that slept through its turn, which then decides anew', () =>
    withRegistry(async ({ store }) => {
      const memory = new MemoryStore()
      const { clock, elapse } = shiftedClock()
      const open = () => createMemoryLog({ store: memory, clock })
      const awake = new Registry({ log: open(), store, clock })
      await registerSome(awake, 'spam', 3)
      const sleep = async () => {
        await elapse(60_000)
        await awake.setAlias('spam', 'champion', '2')
      }
      const slept = new Registry({ log: interrupted(open(), sleep), store, clock })
      const change = await slept.setAlias('spam', 'champion', '1')
      assert.deepEqual([change.revision, change.previous], [2, hashOf(2)], 'nothing was lost')
      const careful = new Registry({
        log: interrupted(open(), async () => {
          await elapse(60_000)
          await awake.setAlias('spam', 'champion', '3')
        }),
        store,
        clock,
      })
      const message = await refused(
        'REGISTRY_CONFLICT',
        careful.rollback('spam', 'champion', { expectedRevision: 2 }),
      )
      assert.match(message, /current is 3/)
      assert.equal((await awake.showModel('spam')).revision, 3)
    }))
})
