/** Holds what makes files readable: small files, small functions, nothing left over or switched off. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOnly, filesOf, ownImportsOf, textOf } from './house.ts'

const maxFileLines = 350
/** Tests are lists: they are read from one end to the other less often. */
const maxTestLines = 450
const maxFunctionLines = 60
/** Folder names that say nothing of what is in them. */
const emptyNames = ['utils', 'util', 'base', 'helpers', 'common', 'misc', 'lib']
/** Spelt in pieces, so that this file does not find itself. */
const leftovers = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', '@ts-' + 'ignore', '@ts-' + 'nocheck']
  .concat(['biome-' + 'ignore'])
  .map((word) => new RegExp(`(?<![\\w-])${word}(?![\\w-])`))
const switchedOff =
  /\b(?:test|it|describe|suite)\.(?:only|skip|todo)\(|\b(?:only|skip): true|\bas any\b/

describe('tidy', () => {
  const code = filesOf('{src,test,scripts,bench,examples}/**/*.ts', 'bin/*.js')

  test(`files have at most ${maxFileLines} lines`, () => {
    const long = code
      .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
      .filter(
        ({ file, lines }) => lines > (file.endsWith('.test.ts') ? maxTestLines : maxFileLines),
      )
    assert.deepEqual(long, [])
    assert.ok(code.length > 20)
  })

  test(`functions have at most ${maxFunctionLines} lines`, () => {
    const long = code.flatMap((file) =>
      functionsOf(codeOnly(file))
        .filter(({ lines }) => lines > maxFunctionLines)
        .map(({ line, lines }) => `${file}:${line} has ${lines} lines`),
    )
    assert.deepEqual(long, [])
  })

  test('nothing is left over and no check is switched off', () => {
    const found = code.flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, index) =>
          leftovers.some((word) => word.test(line)) ? [`${file}:${index + 1} ${line.trim()}`] : [],
        ),
    )
    assert.deepEqual(found, [])
    const off = code.filter((file) => file.endsWith('.ts') && switchedOff.test(codeOnly(file)))
    assert.deepEqual(off, [])
  })

  test('folders are named after what is in them', () => {
    const folders = new Set(code.flatMap((file) => file.split('/').slice(0, -1)))
    assert.deepEqual(
      [...folders].filter((name) => emptyNames.includes(name)),
      [],
    )
  })

  test('every file begins with what it is', () => {
    const silent = filesOf('{src,scripts}/**/*.ts')
      .filter((file) => !/\.(test|types)\.ts$|\.contract\.|index\.ts$/.test(file))
      .filter((file) => !/^(import[^;]*?\n)*\s*\/\*\*|^\/\*\*|^#!|^\/\//.test(textOf(file)))
    assert.deepEqual(silent, [])
  })

  test('no file of src is dead: another imports it, or package.json does', () => {
    const used = new Set(code.flatMap(ownImportsOf))
    const manifest = JSON.parse(textOf('package.json')) as { exports: Record<string, string> }
    for (const target of Object.values(manifest.exports)) used.add(target.replace('./', ''))
    used.add('src/cli/main.ts')
    const dead = filesOf('src/**/*.ts').filter(
      (file) => !/\.(test|types)\.ts$/.test(file) && !used.has(file),
    )
    assert.deepEqual(dead, [])
  })

  test('a long function would be found', () => {
    const body = Array.from({ length: 5 }, () => '  call()').join('\n')
    assert.deepEqual(functionsOf(`function long() {\n${body}\n}\n`), [{ line: 1, lines: 7 }])
    assert.deepEqual(functionsOf(`const f = () => {\n${body}\n}\n`), [{ line: 1, lines: 7 }])
    assert.deepEqual(functionsOf(`class A {\n  go(): void {\n    call()\n  }\n}`), [
      { line: 2, lines: 3 },
    ])
  })
})

/**
 * Functions of formatted code: from the line that opens one to the brace on the same indentation.
 * Suites (`describe`, `withKafka`) hold tests as a class holds methods, and are not counted.
 */
function functionsOf(code: string): { line: number; lines: number }[] {
  const lines = code.split('\n')
  const found: { line: number; lines: number }[] = []
  lines.forEach((text, index) => {
    if (!opensFunction(text)) return
    const indentation = text.match(/^\s*/)![0]
    const end = lines.findIndex((other, at) => at > index && other.startsWith(`${indentation}}`))
    // What registers tests is a suite, whose tests are counted one by one.
    const isSuite = lines
      .slice(index + 1, end)
      .some((inner) => /^\s+(?:test|it|describe|withKafka)\(/.test(inner))
    if (end > 0 && !isSuite) found.push({ line: index + 1, lines: end - index + 1 })
  })
  return found
}

function opensFunction(line: string): boolean {
  if (/\b(?:describe|withKafka)\(/.test(line)) return false
  if (/^\s*(if|for|while|switch|else|try|catch|do|return \{|\} )/.test(line)) return false
  if (/(?:=>|\bfunction\b.*\)(?::.*)?) \{$/.test(line)) return true
  return /^\s+(?:(?:static|async|override|get|set|public|private|protected) )*[*#\w]+\(.*\)(?:: .+)? \{$/.test(
    line,
  )
}
