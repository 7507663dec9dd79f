/** What the house tests look at: the project's files and what they import. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')

/** Paths relative to the project, with `/`, sorted; fixtures are data, not code. */
export function filesOf(...patterns: string[]): string[] {
  const exclude = (name: string) => name.includes('node_modules') || name.includes('fixtures')
  return globSync(patterns, { cwd: root, exclude })
    .map((file) => file.replaceAll(path.sep, '/'))
    .sort()
}

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

/** The code of a file with comments blanked out, lines kept. */
export function codeOnly(file: string): string {
  // A comment starts where no string does: `'src/**/*.ts'` is none.
  return textOf(file)
    .replace(/'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\//g, (match) =>
      match.startsWith('/*') ? match.replace(/[^\n]/g, ' ') : match,
    )
    .replace(/^(\s*)\/\/.*$/gm, '$1')
}

/** Everything a file imports, by `import`, `export from`, `import()` or the address of a worker. */
export function importsOf(file: string): string[] {
  const code = codeOnly(file)
  const forms = [
    /\b(?:from|import)\s*\(?\s*'([^'\n]+)'/g,
    /new URL\('(\.[^'\n]+)',\s*import\.meta\.url\)/g,
  ]
  const named = forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1]!))
  // The file of a worker ends in .ts here and in .js when packed: `./worker.${ending}`.
  const either = [...code.matchAll(/`(\.[\w./-]+\.)\$\{\w+\}`/g)].map((match) => `${match[1]}ts`)
  return [...named, ...either]
}

/** The project's own files among them, as paths relative to the project. */
export function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((address) => address.startsWith('.'))
    .map((address) => path.posix.normalize(path.posix.join(path.posix.dirname(file), address)))
}
