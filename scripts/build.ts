/**
 * `npm run build`: stages the package in dist/package, compiled and ready for `npm pack`. The
 * repository itself runs from source; only what is packed is JavaScript.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const staged = path.join(root, 'dist', 'package')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Record<string, string>
  readonly devDependencies?: unknown
  readonly scripts?: unknown
  readonly allowScripts?: unknown
  readonly [field: string]: unknown
}

/** Empties and fills dist/package; gives its path. Throws when the sources do not compile. */
export function stagePackage(): string {
  rmSync(staged, { recursive: true, force: true })
  mkdirSync(staged, { recursive: true })
  compile()
  for (const file of globSync('**/*.js', { cwd: path.join(staged, 'dist') })) {
    rewriteAddresses(path.join(staged, 'dist', file))
  }
  for (const file of globSync('src/**/*.{json,sql,html,css}', { cwd: root })) {
    if (file.includes('fixtures')) continue
    cpSync(path.join(root, file), path.join(staged, 'dist', path.relative('src', file)))
  }
  buildPage()
  for (const file of ['web/dist', 'bin', 'LICENSE', 'README.md', 'CHANGELOG.md']) {
    if (existsSync(path.join(root, file))) {
      cpSync(path.join(root, file), path.join(staged, file), { recursive: true })
    }
  }
  writeFileSync(path.join(staged, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
  return staged
}

/** The page, as `npm run build:web` makes it. */
function buildPage(): void {
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  execFileSync(process.execPath, [vite, 'build', 'web', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function compile(): void {
  const tsc = path.join(root, 'node_modules', '.bin', 'tsc')
  try {
    execFileSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'pipe' })
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer }
    throw new Error(`the sources do not compile:\n${stdout?.toString() ?? String(error)}`)
  }
}

/**
 * tsc rewrites the ends of imports, not of addresses: `new URL('./worker.ts', import.meta.url)` is
 * how a worker's file is named, and has to name the compiled one.
 */
function rewriteAddresses(file: string): void {
  const compiled = readFileSync(file, 'utf8')
  const rewritten = compiled.replace(
    /new URL\((['"`])(\.[^'"`]+)\.ts\1,\s*import\.meta\.url\)/g,
    (_, quote: string, address: string) =>
      `new URL(${quote}${address}.js${quote}, import.meta.url)`,
  )
  if (rewritten !== compiled) writeFileSync(file, rewritten)
}

/** The package.json that is packed: exports name what was compiled, nothing of development stays. */
function manifest(): Record<string, unknown> {
  const source = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest
  const { devDependencies: _, scripts: _scripts, allowScripts: _allowed, ...kept } = source
  const exports = Object.entries(source.exports).map(([name, target]) => {
    if (!target.endsWith('.ts')) return [name, target]
    const compiled = target.replace('./src/', './dist/').replace(/\.ts$/, '')
    return [name, { types: `${compiled}.d.ts`, default: `${compiled}.js` }]
  })
  return { ...kept, exports: Object.fromEntries(exports) }
}

if (process.argv[1] === import.meta.filename) {
  console.log(`staged ${path.relative(root, stagePackage())}: pack it with npm pack ./dist/package`)
}
