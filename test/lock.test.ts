/**
 * Holds the lock file whole: npm refuses a lock on another platform than the one it was made on when
 * the packages of that platform are missing from it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf } from './house.ts'

interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly optionalDependencies?: Record<string, string>
}

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}

describe('package-lock.json', () => {
  const lock = JSON.parse(textOf('package-lock.json')) as {
    readonly lockfileVersion: number
    readonly packages: Record<string, LockEntry>
  }
  const entries = Object.entries(lock.packages).filter(([place]) => place !== '')

  test('has every platform package', () => {
    const missing = Object.entries(lock.packages).flatMap(([place, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => {
          const found = find(lock.packages, place, name)
          return found?.version === undefined || found.integrity === undefined
        })
        .map((name) => `${name}, wanted by ${place}`),
    )
    assert.deepEqual(missing, [])
    assert.ok(entries.some(([, entry]) => entry.optionalDependencies !== undefined))
  })

  test('every package has a version and a checksum', () => {
    const bare = entries
      .filter(([, entry]) => !entry.version || !entry.integrity || entry.link)
      .map(([place]) => place)
    assert.deepEqual(bare, [])
  })

  test('nothing comes from git, a folder or an unencrypted address', () => {
    const odd = entries.filter(
      ([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://'),
    )
    assert.deepEqual(
      odd.map(([place]) => place),
      [],
    )
  })

  test('package.json asks for exact versions', () => {
    const manifest = JSON.parse(textOf('package.json')) as Manifest
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${name}@${version}`)
    assert.deepEqual(loose, [])
  })
})

/** As Node resolves: in the package's own node_modules first, then outwards. */
function find(
  packages: Record<string, LockEntry>,
  place: string,
  name: string,
): LockEntry | undefined {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules') - 1))) {
    const found = packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]
    if (found !== undefined || at === '') return found
  }
}
